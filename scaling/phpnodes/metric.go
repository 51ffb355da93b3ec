package phpnodes

import (
	"errors"

	"reverb/laravel/php"
)

const (
	metricClass = `Laravel\Reverb\Protocols\Pusher\PendingMetric`
	typeClass   = `Laravel\Reverb\Protocols\Pusher\MetricType`
)

// The cases of Reverb's MetricType.
const (
	metricConnections = "CONNECTIONS"
	metricChannels    = "CHANNELS"
	metricChannel     = "CHANNEL"
	metricUsers       = "CHANNEL_USERS"
)

// keySize is the length of the key that names a question, in letters and digits.
const keySize = 10

var errMetric = errors.New("no serialised metric")

// metric is a question to all nodes (Reverb: PendingMetric).
type metric struct {
	key, app string
	of       string // one of the cases

	filter   string   // CHANNELS: prefix of the names; empty: all
	channels []string // CHANNELS: these; nil: by filter
	channel  string   // CHANNEL, CHANNEL_USERS
	info     string   // CHANNELS, CHANNEL: attributes, separated by commas
}

// object is the question as PHP nodes read it, from themselves too.
func (m *metric) object(app php.Object) php.Object {
	return php.Object{Class: metricClass, Properties: []php.Property{
		{Name: php.Protected("subscribers"), Value: php.Null{}},
		{Name: php.Protected("data"), Value: php.Array{}},
		{Name: php.Protected("key"), Value: php.String(m.key)},
		{Name: php.Protected("application"), Value: app},
		{Name: php.Protected("type"), Value: php.Enum{Class: typeClass, Case: m.of}},
		{Name: php.Protected("options"), Value: m.options()},
	}}
}

func serialise(m *metric, app php.Object) []byte { return php.Append(nil, m.object(app)) }

// options are in the order of Reverb's controllers.
func (m *metric) options() php.Array {
	text := func(key, value string) php.Entry { return php.Entry{Key: php.String(key), Value: php.String(value)} }
	orNull := func(key, value string) php.Entry {
		if value == "" {
			return php.Entry{Key: php.String(key), Value: php.Null{}}
		}
		return text(key, value)
	}
	switch {
	case m.of == metricChannels && m.channels != nil:
		return php.Array{text("info", m.info), {Key: php.String("channels"), Value: stringList(m.channels)}}
	case m.of == metricChannels:
		return php.Array{orNull("filter", m.filter), orNull("info", m.info)}
	case m.of == metricChannel:
		return php.Array{text("channel", m.channel), text("info", m.info)}
	case m.of == metricUsers:
		return php.Array{text("channel", m.channel)}
	}
	return php.Array{}
}

// readMetric reads a serialised question. PHP nodes write subscribers and data too; nobody needs them.
func readMetric(text string) (metric, error) {
	v, err := php.Decode([]byte(text))
	if err != nil {
		return metric{}, errMetric
	}
	o, ok := v.(php.Object)
	if !ok || o.Class != metricClass {
		return metric{}, errMetric
	}
	key, _ := o.Get("key")
	application, _ := o.Get("application")
	kind, _ := o.Get("type")
	var m metric
	if m.key, ok = phpText(key); !ok || !isKey(m.key) {
		return metric{}, errMetric
	}
	if m.app, ok = appID(application); !ok {
		return metric{}, errMetric
	}
	enum, ok := kind.(php.Enum)
	if !ok || enum.Class != typeClass {
		return metric{}, errMetric
	}
	m.of = enum.Case
	options, _ := o.Get("options")
	m.readOptions(options)
	return m, nil
}

func (m *metric) readOptions(v php.Value) {
	options, _ := v.(php.Array)
	text := func(key string) string {
		v, _ := options.Get(key)
		s, _ := phpText(v)
		return s
	}
	m.filter, m.channel, m.info = text("filter"), text("channel"), text("info")
	if m.filter == "0" { // PHP: false
		m.filter = ""
	}
	list, _ := options.Get("channels")
	names, _ := list.(php.Array)
	for _, e := range names {
		if name, ok := phpText(e.Value); ok {
			m.channels = append(m.channels, name)
		}
	}
}

// isKey reports whether key can only be that of a question. It becomes the type of the answer, and must not make a terminate of it.
func isKey(key string) bool {
	if len(key) != keySize {
		return false
	}
	for i := range len(key) {
		c := key[i]
		digit, letter := '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z'
		if !digit && !letter {
			return false
		}
	}
	return true
}
