package protocol_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"
	"testing"

	"reverb/protocol"
)

const (
	eventsPath  = "/apps/3/events"
	eventsBody  = `{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`
	eventsQuery = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0" +
		"&body_md5=ec365a775a4cd0599faeb73354201b6f"
	eventsSignature = "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
)

func TestSignRequest(t *testing.T) {
	for _, query := range []string{
		eventsQuery,
		eventsQuery + "&auth_signature=" + eventsSignature,
		"auth_version=1.0&auth_timestamp=1353088179&auth_key=278d425bdf160c739803", // body_md5 is ours
		strings.Replace(eventsQuery, "body_md5=ec", "body_md5=00", 1),
		eventsQuery + "&appId=1&appKey=2&channelName=3",
		"auth.version=1%2E0&auth+timestamp=1353088179&auth_key=0&auth_key=278d425bdf160c739803",
	} {
		if got := protocol.SignRequest(appSecret, "POST", eventsPath, query, []byte(eventsBody)); got != eventsSignature {
			t.Errorf("SignRequest(%s) = %s, want %s", query, got, eventsSignature)
		}
	}
}

// TestSignedText compares with the signature of a text that is written down.
func TestSignedText(t *testing.T) {
	tests := []struct{ name, method, path, query, body, text string }{
		{"no query", "GET", "/apps/3/channels", "", "", "GET\n/apps/3/channels\n"},
		{"sorted", "GET", "/a", "b=2&a=1&B=0&_=3&a_=4", "", "GET\n/a\nB=0&_=3&a=1&a_=4&b=2"},
		{"decoded", "GET", "/a%20b", "filter=x%2Fy+z%&e=&f", "", "GET\n/a%20b\ne=&f=&filter=x/y z%"},
		{"list", "GET", "/a", "info[]=b&x=1&info[]=a", "", "GET\n/a\ninfo=b,a&x=1"},
		{"numbers", "GET", "/a", "10=a&9=b&x=c", "", "GET\n/a\n9=b&10=a&x=c"},
		{"body_md5 without body", "GET", "/a", "body_md5=ec&x=1", "", "GET\n/a\nx=1"},
		{"body", "POST", "/a", "z=1&a=1", "{}", "POST\n/a\na=1&body_md5=99914b932bd37a50b983c5e7c90ae93b&z=1"},
		{"many", "GET", "/a", "n=1&m=1&l=1&k=1&j=1&i=1&h=1&g=1&f=1&e=1&d=1&c=1&b=1&a=1", "",
			"GET\n/a\na=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1&l=1&m=1&n=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mac := hmac.New(sha256.New, []byte("secret"))
			mac.Write([]byte(tt.text))
			want := hex.EncodeToString(mac.Sum(nil))
			if got := protocol.SignRequest("secret", tt.method, tt.path, tt.query, []byte(tt.body)); got != want {
				t.Errorf("SignRequest(%s) is not of %q", tt.query, tt.text)
			}
		})
	}
}

func TestSignedBy(t *testing.T) {
	signed := eventsQuery + "&auth_signature=" + eventsSignature
	check := func(method, path, query, body string) bool {
		digest := ""
		if body != "" {
			digest = bodyDigest([]byte(body))
		}
		q := protocol.ParseQuery(query)
		return q.SignedBy(appSecret, method, path, digest)
	}
	if !check("POST", eventsPath, signed, eventsBody) {
		t.Error("Pusher's example refused")
	}
	for name, ok := range map[string]bool{
		"method":           check("GET", eventsPath, signed, eventsBody),
		"lower-case":       check("post", eventsPath, signed, eventsBody),
		"path":             check("POST", "/apps/4/events", signed, eventsBody),
		"query":            check("POST", eventsPath, signed+"&info=user_count", eventsBody),
		"body":             check("POST", eventsPath, signed, eventsBody+" "),
		"no body":          check("POST", eventsPath, signed, ""),
		"no signature":     check("POST", eventsPath, eventsQuery, eventsBody),
		"no query":         check("POST", eventsPath, "", eventsBody),
		"empty signature":  check("POST", eventsPath, eventsQuery+"&auth_signature=", eventsBody),
		"upper-case":       check("POST", eventsPath, eventsQuery+"&auth_signature="+strings.ToUpper(eventsSignature), eventsBody),
		"second signature": check("POST", eventsPath, signed+"&auth_signature=x", eventsBody),
	} {
		if ok {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseQuery(t *testing.T) {
	tests := []struct {
		query string
		want  map[string]string
	}{
		{"", nil},
		{"&&=&=x", nil},
		{"a=1&b=2", map[string]string{"a": "1", "b": "2"}},
		{"a", map[string]string{"a": ""}},
		{"a=b=c", map[string]string{"a": "b=c"}},
		{"a=1&a=2", map[string]string{"a": "2"}},
		{"a+b=1+2&c%20d=%2b", map[string]string{"a_b": "1 2", "c_d": "+"}},
		{"a.b=1", map[string]string{"a_b": "1"}},
		{"+a=1&%20+=2", map[string]string{"a": "1"}},
		{"a%00b=1%00", map[string]string{"a": "1\x00"}},
		{"a=%&b=%4&c=%zz&d=%41%c3%A9", map[string]string{"a": "%", "b": "%4", "c": "%zz", "d": "Aé"}},
		{"a=1;b=2", map[string]string{"a": "1;b=2"}},
		{"x[]=1&x[]=2", map[string]string{"x": "1,2"}},
		{"x%5B%5D=1&x%5b%5d=2", map[string]string{"x": "1,2"}},
		{"x[b]=1&x[a]=2&x[b]=3", map[string]string{"x": "3,2"}},
		{"x=1&x[]=2&x[]=3", map[string]string{"x": "2,3"}},
		{"x[]=2&x[]=3&x=1", map[string]string{"x": "1"}},
		{"x[]=1&x=2&x[]=3&x[]=4", map[string]string{"x": "3,4"}},
		{"x[=1", map[string]string{"x_": "1"}},
		{"x.y[a.b]=1", map[string]string{"x_y": "1"}},
		{"x.[y.=1", map[string]string{"x__y_": "1"}},
		{"[a]=1", nil},
	}
	for _, tt := range tests {
		q := protocol.ParseQuery(tt.query)
		got := maps.Collect(q.All())
		if len(got) != len(tt.want) {
			t.Errorf("ParseQuery(%q) = %q, want %q", tt.query, got, tt.want)
		}
		for name, value := range tt.want {
			if v, ok := got[name]; !ok || v != value {
				t.Errorf("ParseQuery(%q) = %q, want %q", tt.query, got, tt.want)
			}
		}
	}
}

// ambiguous tells by other means than ParseQuery whether a query could be taken for two: in any pair, decoded, there is "=" in the name or "&"
// anywhere, or a list of what authenticates.
func ambiguous(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		one := protocol.ParseQuery(strings.ReplaceAll(name, "[", "%5B") + "=x")
		for folded := range one.All() {
			if strings.ContainsAny(folded, "&=") || isList(name) && (strings.HasPrefix(folded, "auth_") || folded == "body_md5") {
				return true
			}
			two := protocol.ParseQuery("x=" + value)
			if v, _ := two.Get("x"); strings.Contains(v, "&") {
				return true
			}
		}
	}
	return false
}

// isList tells whether a name, as sent, has a bracket that is closed: one that is not is an underscore of PHP's.
func isList(name string) bool {
	q := protocol.ParseQuery("x=" + name)
	decoded, _ := q.Get("x")
	decoded, _, _ = strings.Cut(strings.TrimLeft(decoded, " "), "\x00")
	base, rest, _ := strings.Cut(decoded, "[")
	return base != "" && strings.Contains(rest, "]")
}

// The signed text, taken apart again, has the parameters that are read, and no others.
func FuzzSignature(f *testing.F) {
	f.Add(eventsQuery, []byte(eventsBody))
	f.Add("x[]=1&x[a]=2&x=3&y[=4&10=a&9=b&a.b+c=%00%zz", []byte{})
	f.Add("auth_key=k&auth_timestamp%3D1%26auth_version=1.0", []byte(eventsBody))
	f.Add("auth_key=k%26auth_timestamp=1&auth.version=%3d1.0&info[]=a&info[]=b&body_md5=x&a;b=c%0A", []byte{})
	f.Add("auth[v&auth[=1&auth%5bx]&auth_k[v", []byte{})
	f.Add("auth_timestamp[]=1&[=&%5B=&=&&%26=%26&x%3d=1", []byte{})
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		digest := ""
		if len(body) > 0 {
			digest = bodyDigest(body)
		}
		q := protocol.ParseQuery(query)
		read := maps.Collect(q.All())
		for name, value := range read {
			if name == "" || strings.ContainsAny(name, " .[\x00") {
				t.Errorf("ParseQuery(%q) has the name %q", query, name)
			}
			if len(value) > len(query) {
				t.Errorf("ParseQuery(%q) has the value %q", query, value)
			}
		}
		signature := protocol.SignRequest(appSecret, "POST", eventsPath, query, body)
		signed := protocol.ParseQuery(query + "&auth_signature=" + signature)
		good := signed.SignedBy(appSecret, "POST", eventsPath, digest)
		if good == ambiguous(query) {
			t.Errorf("own signature of %q accepted: %v", query, good)
		}
		if !good {
			return
		}
		for _, name := range []string{"auth_signature", "body_md5", "appId", "appKey", "channelName"} {
			delete(read, name)
		}
		if digest != "" {
			read["body_md5"] = digest
		}
		apart := map[string]string{}
		for pair := range strings.SplitSeq(q.SignedLine(digest), "&") {
			if pair == "" && len(read) == 0 {
				continue
			}
			name, value, ok := strings.Cut(pair, "=")
			if _, twice := apart[name]; twice || !ok {
				t.Errorf("%q of %q is no parameter, or is one twice", pair, query)
			}
			apart[name] = value
		}
		if !maps.Equal(apart, read) {
			t.Errorf("of %q is signed %q and read %q", query, apart, read)
		}
	})
}

func TestSignedByAllocations(t *testing.T) {
	signed, digest := eventsQuery+"&auth_signature="+eventsSignature, bodyDigest([]byte(eventsBody))
	n := testing.AllocsPerRun(100, func() {
		q := protocol.ParseQuery(signed)
		q.SignedBy(appSecret, "POST", eventsPath, digest)
	})
	if n > 9 {
		t.Errorf("ParseQuery and SignedBy: %v allocations, want at most 9", n)
	}
}

func BenchmarkSignedBy(b *testing.B) {
	signed, body := eventsQuery+"&auth_signature="+eventsSignature, []byte(eventsBody)
	b.ReportAllocs()
	for b.Loop() {
		q := protocol.ParseQuery(signed)
		if !q.SignedBy(appSecret, "POST", eventsPath, bodyDigest(body)) {
			b.Fatal("refused")
		}
	}
}

func bodyDigest(body []byte) string { return string(protocol.AppendBodyDigest(nil, body)) }
