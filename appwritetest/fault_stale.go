package appwritetest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

var (
	schemaItem   = regexp.MustCompile(`/(collections|tables|attributes|columns|indexes)/[^/]+$`)
	schemaCreate = regexp.MustCompile(`/(attributes|columns)/[^/]+$|/indexes$`)
)

// StaleReads makes single reads of collections, attributes and indexes keep the
// first answer they gave, or the one their creation gave, while lists stay
// right. Real servers do this when a read meets the worker's change of a status.
func StaleReads() Action {
	return &staleReads{old: make(map[string]*answer)}
}

type staleReads struct {
	mu  sync.Mutex
	old map[string]*answer // by path of the item
}

func (s *staleReads) act(_ *Injection, w http.ResponseWriter, r *http.Request, next http.Handler) {
	reads := r.Method == http.MethodGet && schemaItem.MatchString(r.URL.Path)
	creates := r.Method == http.MethodPost && schemaCreate.MatchString(r.URL.Path)
	if !reads && !creates {
		next.ServeHTTP(w, r)
		return
	}
	if old := s.get(r.URL.Path); reads && old != nil {
		old.writeTo(w)
		return
	}
	fresh := record(next, r)
	switch {
	case reads && fresh.status == http.StatusOK:
		s.keep(r.URL.Path, fresh)
	case creates && fresh.status == http.StatusAccepted:
		s.keepCreated(r.URL.Path, fresh)
	}
	fresh.writeTo(w)
}

// keepCreated makes what a creation answered the answer to reads of the item.
func (s *staleReads) keepCreated(path string, created *answer) {
	var item struct {
		Key string `json:"key"`
	}
	if json.Unmarshal(created.body.Bytes(), &item) != nil {
		return
	}
	list := path
	if !strings.HasSuffix(path, "/indexes") {
		list = path[:strings.LastIndexByte(path, '/')] // drops the attribute's type
	}
	shown := &answer{status: http.StatusOK, header: created.header}
	_, _ = shown.Write(created.body.Bytes())
	s.keep(list+"/"+item.Key, shown)
}

func (s *staleReads) get(path string) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.old[path]
}

// keep holds the first answer for good.
func (s *staleReads) keep(path string, a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.old[path] == nil {
		s.old[path] = a
	}
}
