package api

import (
	"strings"
)

// router finds a route by method and path. Fixed segments win over
// placeholders.
type router struct {
	root node
}

type node struct {
	fixed       map[string]*node
	placeholder *node
	routes      map[string]*endpoint // by method
}

// endpoint is a route in one dialect.
type endpoint struct {
	Route
	dialect Dialect
	names   []string // canonical names of the placeholders, in order
}

func (r *router) add(route Route, dialect Dialect) {
	e := &endpoint{Route: route, dialect: dialect}
	n := &r.root
	for _, segment := range segments(dialect.path(route.Path)) {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			e.names = append(e.names, strings.TrimSuffix(name, "}"))
			if n.placeholder == nil {
				n.placeholder = &node{}
			}
			n = n.placeholder
			continue
		}
		if n.fixed == nil {
			n.fixed = map[string]*node{}
		}
		if n.fixed[segment] == nil {
			n.fixed[segment] = &node{}
		}
		n = n.fixed[segment]
	}
	if n.routes == nil {
		n.routes = map[string]*endpoint{}
	}
	n.routes[route.Method] = e
}

// find returns the endpoint and the values of its placeholders, or nil.
func (r *router) find(method, path string) (*endpoint, []string) {
	var values []string
	e := r.root.find(method, segments(path), &values)
	return e, values
}

func (n *node) find(method string, path []string, values *[]string) *endpoint {
	if len(path) == 0 {
		return n.routes[method]
	}
	if next := n.fixed[path[0]]; next != nil {
		if e := next.find(method, path[1:], values); e != nil {
			return e
		}
	}
	if n.placeholder == nil {
		return nil
	}
	mark := len(*values)
	*values = append(*values, path[0])
	e := n.placeholder.find(method, path[1:], values)
	if e == nil {
		*values = (*values)[:mark]
	}
	return e
}

// segments splits a path; an empty segment inside counts, trailing slashes do
// not.
func segments(path string) []string {
	path = strings.TrimRight(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}
