package protocol

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

type SocketID struct{ a, b uint32 } // zero value = none

func NewSocketID() SocketID                    { panic("stub") } // crypto-seeded random, each part 1…1e9
func ParseSocketID(s string) (SocketID, bool)  { panic("stub") } // canonical text only (no leading zeros); ok=false otherwise
func ValidSocketIDSyntax(s string) bool        { panic("stub") } // ^\d+\.\d+$
func (id SocketID) IsZero() bool               { panic("stub") }
func (id SocketID) String() string             { panic("stub") }
func (id SocketID) AppendTo(dst []byte) []byte { panic("stub") }

type Kind uint8 // bit set

func KindOf(name string) Kind                    { panic("stub") } // Reverb's prefixes (no dash needed after cache/private/presence)
func StrictKindOf(name string) Kind              { panic("stub") } // Pusher's prefixes with dashes
func (k Kind) IsPublic() bool                    { panic("stub") }
func (k Kind) NeedsAuth() bool                   { panic("stub") } // private or presence
func (k Kind) IsPresence() bool                  { panic("stub") }
func (k Kind) IsCache() bool                     { panic("stub") }
func (k Kind) IsEncrypted() bool                 { panic("stub") }
func (k Kind) String() string                    { panic("stub") }
func ValidChannelName(name string, max int) bool { panic("stub") } // Pusher's [-A-Za-z0-9_=@,.;]
func ValidEventName(name string, max int) bool   { panic("stub") }

// Error is what a client may see: {"code":…,"message":…}.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { panic("stub") }

var (
	ErrUnknownApp, ErrAppDisabled, ErrOverQuota, ErrBadVersion, ErrUnsupportedVersion, ErrNoVersion *Error // 4001 4003 4004 4006 4007 4008
	ErrOriginNotAllowed, ErrUnauthorized, ErrNotMember, ErrOverCapacity                             *Error // 4009 4009 4009 4100
	ErrInvalidFormat, ErrPongTimeout, ErrClientEventsDisabled, ErrRateLimit, ErrDraining            *Error // 4200 4201 4301 4301 4200
)

// Message is one inbound client message. Byte fields point into the payload or into memory made for them.
type Message struct {
	Event   []byte // unescaped name, never empty or blank
	Data    []byte // raw JSON of data; when data was a string holding valid JSON, that JSON text; nil when absent
	Channel []byte // raw JSON of the top-level channel, nil when absent
}

// Decode reads payload strictly (RFC 8259, reverb.md A.4). All failures are ErrInvalidFormat. No allocation for pusher:ping/subscribe without escapes.
func Decode(payload []byte, m *Message) *Error { panic("stub") }

type Subscribe struct {
	Channel     string
	Auth        string
	ChannelData string // raw text as sent; "" when absent
}

func (m *Message) Subscribe() (Subscribe, *Error) { panic("stub") } // reverb.md 4.4 validation
func (m *Message) Unsubscribe() (string, *Error)  { panic("stub") }
func (m *Message) CheckEmptyData() *Error         { panic("stub") } // protocol events: empty or object, else 4200 (4.2)

// ClientEvent is a validated client event (reverb.md 4.7 step 1).
type ClientEvent struct {
	Event    string
	Channel  string
	Channels []string // from a top-level channels list; only mode "all" honours it
	Data     []byte   // raw JSON, "null" when absent
}

func (m *Message) ClientEvent() (ClientEvent, *Error) { panic("stub") }

// MemberData is decoded channel_data.
type MemberData struct {
	Raw       []byte // the channel_data JSON as the client sent it ("{}" when absent)
	UserID    string // text form of user_id; "" when absent or falsy (0, "0", "", null, false)
	UserIDRaw []byte // its raw JSON, type kept; nil when UserID == ""
	UserInfo  []byte // raw JSON of user_info; nil when absent
}

func ParseMemberData(channelData string) (MemberData, *Error) { panic("stub") } // scalar, or user_id array/object: 4200

// Auth
func ChannelSignature(secret string, id SocketID, channel, channelData string) string { panic("stub") }
func CheckChannelAuth(secret, auth string, id SocketID, channel, channelData string) bool {
	panic("stub")
} // Reverb: key part not checked
func CheckChannelAuthStrict(key, secret, auth string, id SocketID, channel, channelData string) bool {
	panic("stub")
}

// HTTP signature, reverb.md 5.1. path is the raw request path, rawQuery as on the wire.
func SignRequest(secret, method, path, rawQuery string, body []byte) string { panic("stub") }
func CheckRequest(secret, method, path, rawQuery string, body []byte) bool  { panic("stub") } // compares with auth_signature of the query
func ParseQuery(rawQuery string) map[string]string                          { panic("stub") } // the PHP way; list values joined with ","

// Frame is one or more finished, unmasked server WebSocket frames; immutable, shared by all receivers.
type Frame []byte

func TextFrame(json []byte) Frame { panic("stub") }

func PongFrame() Frame                                                      { panic("stub") } // shared, no allocation
func PingFrame() Frame                                                      { panic("stub") }
func ConnectionEstablishedFrame(id SocketID, activityTimeout int) Frame     { panic("stub") }
func ErrorFrame(e *Error, objectData bool) Frame                            { panic("stub") } // objectData: Pusher's form, else string-encoded
func SubscriptionSucceededFrame(channel string) Frame                       { panic("stub") } // data "{}"; empty channel: field dropped
func SubscriptionErrorFrame(channel, typ, message string, status int) Frame { panic("stub") }
func CacheMissFrame(channel string) Frame                                   { panic("stub") }
func MemberAddedFrame(channel string, channelData []byte) Frame             { panic("stub") } // data = string-encoded channelData
func MemberRemovedFrame(channel string, userIDRaw []byte) Frame             { panic("stub") }

// RosterMember is one row of the presence snapshot.
type RosterMember struct {
	ID    string
	IDRaw []byte // JSON
	Info  []byte // JSON, nil = null
}

func PresenceSucceededFrame(channel string, roster []RosterMember) Frame { panic("stub") }

// AppendEvent appends {"event":…,"data":"…","channel":…} (from /events) or, batch=true, {"event":…,"channel":…,"data":"…"}.
func AppendEvent(dst []byte, event, channel, data string, batch bool) []byte { panic("stub") }

// AppendClientEvent appends {"event":…,"channel":…,"data":…[,"user_id":…]} (mode members).
func AppendClientEvent(dst []byte, e *ClientEvent, channel string, userIDRaw []byte) []byte {
	panic("stub")
}

// AppendForwarded appends the client's own object with every field kept byte for byte (mode all) but: user_id stripped and set from
// userIDRaw when not nil, data that was JSON text replaced by that JSON, channels removed, channel set to channel.
func AppendForwarded(dst []byte, payload []byte, channel string, userIDRaw []byte) []byte {
	panic("stub")
}

// AppendQuote appends s as a JSON string, escaping only what JSON demands; invalid UTF-8 becomes U+FFFD.
func AppendQuote(dst []byte, s string) []byte { panic("stub") }
