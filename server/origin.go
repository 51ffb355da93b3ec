package server

import "strings"

// originAllowed judges an Origin header as Reverb does: a list with "*" lets every origin in, otherwise the host of the
// origin, without scheme and port, must match an entry, where * in an entry stands for any run of characters. Case
// matters.
func originAllowed(allowed []string, origin string) bool {
	for _, entry := range allowed {
		if entry == "*" {
			return true
		}
	}
	host := originHost(origin)
	for _, entry := range allowed {
		if glob(entry, host) {
			return true
		}
	}
	return false
}

// originHost is the host of an origin as PHP's parse_url gives it: brackets of IPv6 stay, no scheme means no host, and
// so do "null" and a missing header.
func originHost(origin string) string {
	scheme, rest, ok := strings.Cut(origin, "://")
	if !ok || scheme == "" {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	if strings.HasPrefix(rest, "[") {
		if end := strings.IndexByte(rest, ']'); end >= 0 {
			return rest[:end+1]
		}
		return ""
	}
	if colon := strings.LastIndexByte(rest, ':'); colon >= 0 {
		rest = rest[:colon]
	}
	return rest
}

// glob reports whether s matches pattern as a whole, * standing for any run of characters. The parts between the stars
// are looked for one after the other, each at its first place, which is enough because a star gives back nothing that a
// later place could use; so there is no backtracking for a client's origin to feed.
func glob(pattern, s string) bool {
	head, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s, rest = s[at+len(part):], after
	}
}
