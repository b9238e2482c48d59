package schema

import (
	"net/netip"
	"net/url"
	"strings"
)

// The checks of default values by format.

func (r *Room) datetime(value any) (any, string) {
	s, ok := value.(string)
	if !ok || s == "" {
		return nil, "Value must be valid date"
	}
	if _, err := r.dates.Parse(s); err != nil {
		return nil, "Value must be valid date"
	}
	return s, ""
}

func email(value any) (any, string) {
	s, ok := value.(string)
	local, domain, found := strings.Cut(s, "@")
	if !ok || !found || local == "" || !strings.Contains(domain, ".") {
		return nil, "Value must be a valid email address"
	}
	return s, ""
}

func ip(value any) (any, string) {
	s, _ := value.(string)
	if _, err := netip.ParseAddr(s); err != nil {
		return nil, "Value must be a valid IP address"
	}
	return s, ""
}

func link(value any) (any, string) {
	s, _ := value.(string)
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, "Value must be a valid URL"
	}
	return s, ""
}

func point(value any) (any, string) {
	list, ok := value.([]any)
	if !ok || len(list) != 2 {
		return nil, "Value must be a point"
	}
	for _, n := range list {
		switch n.(type) {
		case int64, float64:
		default:
			return nil, "Value must be a point"
		}
	}
	return value, ""
}

func line(value any) (any, string) { return listOf(value, 2, point) }

func polygon(value any) (any, string) {
	ring := func(v any) (any, string) { return listOf(v, 4, point) }
	return listOf(value, 1, ring)
}

func listOf(value any, least int, check func(any) (any, string)) (any, string) {
	list, ok := value.([]any)
	if !ok || len(list) < least {
		return nil, "Value has too few points"
	}
	for _, item := range list {
		if _, why := check(item); why != "" {
			return nil, why
		}
	}
	return value, ""
}
