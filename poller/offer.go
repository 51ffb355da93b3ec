package poller

import "bytes"

// validOffers checks the permessage-deflate offers in a Sec-WebSocket-Extensions line. None is ever accepted, but a client whose
// offer is malformed learns so, as from Reverb. Other extensions are not looked at.
func validOffers(list []byte) bool {
	for offer := range bytes.SplitSeq(list, []byte(",")) {
		name, params, some := bytes.Cut(offer, []byte(";"))
		if string(bytes.Trim(name, " \t")) == "permessage-deflate" && some && !validParameters(params) {
			return false
		}
	}
	return true
}

// deflateParameter is one parameter of permessage-deflate: RFC 7692 7.1 has four.
type deflateParameter uint8

const (
	serverNoContext deflateParameter = 1 << iota
	clientNoContext
	serverWindow
	clientWindow
)

// validParameters reports whether params, separated by semicolons, are known, there once, and of the right form.
func validParameters(params []byte) bool {
	var seen deflateParameter
	for param := range bytes.SplitSeq(params, []byte(";")) {
		name, value, valued := bytes.Cut(param, []byte("="))
		p, ok := deflateParameter(0), false
		switch string(bytes.Trim(name, " \t")) {
		case "server_no_context_takeover":
			p, ok = serverNoContext, !valued
		case "client_no_context_takeover":
			p, ok = clientNoContext, !valued
		case "server_max_window_bits":
			p, ok = serverWindow, valued && windowBits(value)
		case "client_max_window_bits":
			p, ok = clientWindow, !valued || windowBits(value)
		}
		if !ok || seen&p != 0 {
			return false
		}
		seen |= p
	}
	return true
}

// windowBits reports whether value is a number from 8 to 15, quoted or not.
func windowBits(value []byte) bool {
	switch string(bytes.Trim(bytes.Trim(value, " \t"), `"`)) {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}
