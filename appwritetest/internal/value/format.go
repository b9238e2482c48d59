package value

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// The formats of text, as PHP's filter_var has them.

var (
	localPart = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")
	hostName  = regexp.MustCompile(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)
)

// Email says whether s is an address with a dotted domain.
func Email(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	return found && len(local) <= 64 && len(s) <= 254 && localPart.MatchString(local) &&
		strings.Contains(domain, ".") && !strings.HasSuffix(domain, ".") && !strings.Contains(domain, "_") &&
		hostName.MatchString(domain)
}

// IP says whether s is an IPv4 or IPv6 address.
func IP(s string) bool {
	address, err := netip.ParseAddr(s)
	return err == nil && address.Zone() == ""
}

// URL says whether s has a scheme and a host.
func URL(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return false
	}
	switch u.Scheme {
	case "mailto", "news", "file":
		return u.Host != "" || u.Path != "" || u.Opaque != ""
	case "http", "https":
		host := u.Hostname()
		return hostName.MatchString(host) || IP(host)
	}
	return u.Host != ""
}
