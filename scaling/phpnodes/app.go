package phpnodes

import (
	"strconv"

	"reverb/laravel/php"
)

const (
	applicationClass = `Laravel\Reverb\Application`
	noLimit          = 0
)

// App is an app as the configuration of Reverb has it (config/reverb.php: apps).
type App struct {
	ID, Key, Secret        string
	PingInterval           int // seconds
	ActivityTimeout        int // seconds
	AllowedOrigins         []string
	MaxMessageSize         int64 // bytes
	MaxConnections         int   // 0: no limit
	AcceptClientEventsFrom string
	RateLimit              RateLimit

	// Where clients connect to; no Host: not told.
	Host, Scheme string
	Port         int
}

// RateLimit is Reverb's rate_limiting.
type RateLimit struct {
	Enabled          bool
	MaxAttempts      int
	DecaySeconds     int
	TerminateOnLimit bool
}

// minimalApp is all of an app that PHP nodes use of what they receive: they find their own by its id. The other properties stay
// uninitialised.
func minimalApp(id string) php.Object {
	return php.Object{Class: applicationClass, Properties: []php.Property{{Name: php.Protected("id"), Value: php.String(id)}}}
}

// object is the whole app, secret included, as Reverb 1.9 to 1.11 writes it.
func (a *App) object() php.Object {
	o := minimalApp(a.ID)
	add := func(name string, v php.Value) {
		o.Properties = append(o.Properties, php.Property{Name: php.Protected(name), Value: v})
	}
	add("key", php.String(a.Key))
	add("secret", php.String(a.Secret))
	add("pingInterval", php.Int(a.PingInterval))
	add("activityTimeout", php.Int(a.ActivityTimeout))
	add("allowedOrigins", stringList(a.AllowedOrigins))
	add("maxMessageSize", php.Int(a.MaxMessageSize))
	if a.MaxConnections == noLimit {
		add("maxConnections", php.Null{})
	} else {
		add("maxConnections", php.Int(a.MaxConnections))
	}
	add("acceptClientEventsFrom", php.String(a.AcceptClientEventsFrom))
	add("rateLimiting", php.Array{
		{Key: php.String("enabled"), Value: php.Bool(a.RateLimit.Enabled)},
		{Key: php.String("max_attempts"), Value: php.Int(a.RateLimit.MaxAttempts)},
		{Key: php.String("decay_seconds"), Value: php.Int(a.RateLimit.DecaySeconds)},
		{Key: php.String("terminate_on_limit"), Value: php.Bool(a.RateLimit.TerminateOnLimit)},
	})
	add("options", a.options())
	return o
}

// options is where Laravel itself connects to; the port is the text that the environment has.
func (a *App) options() php.Array {
	if a.Host == "" {
		return php.Array{}
	}
	return php.Array{
		{Key: php.String("host"), Value: php.String(a.Host)},
		{Key: php.String("port"), Value: php.String(strconv.Itoa(a.Port))},
		{Key: php.String("scheme"), Value: php.String(a.Scheme)},
		{Key: php.String("useTLS"), Value: php.Bool(a.Scheme == "https")},
	}
}

func stringList(texts []string) php.Array {
	list := make([]php.Value, len(texts))
	for i, s := range texts {
		list[i] = php.String(s)
	}
	return php.List(list...)
}

// appID is the id in a serialised application; false: it is none.
func appID(v php.Value) (string, bool) {
	o, ok := v.(php.Object)
	if !ok || o.Class != applicationClass {
		return "", false
	}
	id, _ := o.Get("id")
	return phpText(id)
}

// phpText is a scalar as PHP makes a string of it; false: null, or no scalar that an id or a name could be.
func phpText(v php.Value) (string, bool) {
	switch v := v.(type) {
	case php.String:
		return string(v), true
	case php.Int:
		return strconv.FormatInt(int64(v), 10), true
	}
	return "", false
}
