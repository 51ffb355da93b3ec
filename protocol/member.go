package protocol

// MemberData is decoded channel_data: who subscribes. It is immutable; its byte fields share one
// piece of memory.
type MemberData struct {
	Raw       []byte // JSON as the client sent it, "{}" when absent
	UserID    string // text of user_id; "" when absent, null, false or ""
	UserIDRaw []byte // JSON of user_id, type kept; nil when UserID is ""
	UserInfo  []byte // JSON of user_info; nil when absent
}

// RosterMember is one member of a presence channel as subscribers see it.
type RosterMember struct {
	ID    string // text of the user id
	IDRaw []byte // JSON of the user id
	Info  []byte // JSON of user_info, nil for null
}

// ParseMemberData reads channel_data. Reverb: it must be an object or array, and user_id no object
// or array.
func ParseMemberData(channelData string) (MemberData, *Error) {
	if channelData == "" {
		return MemberData{Raw: []byte("{}")}, nil
	}
	raw, ok := validJSON([]byte(channelData), 0)
	if !ok || !isContainer(raw) {
		return MemberData{}, ErrInvalidFormat
	}
	data := MemberData{Raw: raw}
	if !isObject(raw) {
		return data, nil
	}
	var userID []byte
	for o, _ := openObject(raw); o.next(); {
		switch string(o.name()) {
		case "user_id":
			userID = o.value
		case "user_info":
			data.UserInfo = o.value
		}
	}
	text, ok := scalarText(userID)
	if !ok {
		return MemberData{}, ErrInvalidFormat
	}
	if len(text) > 0 {
		data.UserID, data.UserIDRaw = string(text), userID
	}
	return data, nil
}
