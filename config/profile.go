package config

// The profiles an app can have.
const (
	ProfileReverb = "reverb" // what Laravel Reverb enforces: the default
	ProfilePusher = "pusher" // what Pusher Channels enforces
)

// Rules are what a profile sets. Each can also be set by itself in [[apps]];
// such a key wins over the profile. A limit of 0 is no limit.
type Rules struct {
	ErrorObject             bool // pusher:error as Pusher sends it: an object; a refused subscribe has no code
	StringUserIDs           bool // presence ids reach clients as strings, whatever came in
	RequireUserID           bool // presence without user_id is refused
	StrictNames             bool // channel and event names: syntax, MaxChannelName, MaxEventName
	ClientEventsPrivateOnly bool // client events only on private and presence channels
	RequireProtocol         bool // ?protocol= is checked: 4006, 4007, 4008
	CheckAuthKey            bool // the auth of a subscription must carry the app's key
	RequireTimestamp        bool // HTTP requests must carry auth_timestamp
	RequireAuthKey          bool // HTTP requests must carry auth_key and auth_version
	AnyClientData           bool // data of a client event is any JSON value and stays as it was sent
	SubscribeOnce           bool // a second subscribe to a channel is an error
	PusherAnswers           bool // the HTTP API counts, answers and takes bodies as Pusher does

	MaxChannelName     int // bytes
	MaxEventName       int // characters
	MaxPublishChannels int // channels of one publish
	MaxBatch           int // events of one batch
	MaxEventData       int // bytes
	MaxPresenceMembers int // distinct users of one channel
	MaxUserInfo        int // bytes of JSON
	MaxUserID          int // characters
	MaxClientEvents    int // of one connection in a second
}

// profileTable is what each profile sets, the only place that knows it.
// Reverb has no rule but sizes, and names are as long as a message; here they
// are bounded, because a name is kept in many places. The limits of "pusher" are
// those of the Pusher Channels documentation (HTTP API, "Limits", presence
// channels).
var profileTable = map[string]Rules{
	ProfileReverb: {MaxChannelName: 1 << 10},
	ProfilePusher: {
		ErrorObject:             true,
		StringUserIDs:           true,
		RequireUserID:           true,
		StrictNames:             true,
		ClientEventsPrivateOnly: true,
		RequireProtocol:         true,
		CheckAuthKey:            true,
		RequireTimestamp:        true,
		RequireAuthKey:          true,
		AnyClientData:           true,
		SubscribeOnce:           true,
		PusherAnswers:           true,
		MaxChannelName:          164,
		MaxEventName:            200,
		MaxPublishChannels:      100,
		MaxBatch:                10,
		MaxEventData:            10 << 10,
		MaxPresenceMembers:      100,
		MaxUserInfo:             1 << 10,
		MaxUserID:               128,
		MaxClientEvents:         10,
	},
}

// ProfileRules are the rules of a profile by name. An unknown name has none.
func ProfileRules(profile string) Rules { return profileTable[profile] }

// whisperSize is how long a client event can be that the rules allow, in bytes;
// 0 where they do not say. A character of two bytes may be written as an escape
// of six.
func (r *Rules) whisperSize() int64 {
	const escaped, envelope = 3, 1 << 10
	if !r.PusherAnswers || r.MaxEventData == 0 {
		return 0
	}
	return int64(escaped*(r.MaxEventData+r.MaxEventName+r.MaxChannelName) + envelope)
}
