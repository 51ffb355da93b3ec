package poller

import (
	"bufio"
	"bytes"
	"net/http"
	"testing"
)

const plainPost = "POST /apps/1/events?a=b HTTP/1.1\r\nHost: h:8080\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"

// net/http has to read every request that we answer ourselves as we do, from its first byte to its last.
func FuzzParsePlainPost(f *testing.F) {
	f.Add([]byte(plainPost))
	f.Add(bytes.ToUpper([]byte(plainPost)))
	f.Add([]byte("POST /a HTTP/1.1\r\nHost: [::1]:80\r\nConnection: Keep-Alive\r\nContent-Length: 000012\r\nX: \t y\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\nTransfer-Encoding: chunked\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		end := headEnd(b, 0)
		if end == 0 {
			return
		}
		target, length, ok := parsePlainPost(b[:end])
		if !ok {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", b[:end], err)
		}
		if r.Method != "POST" || r.RequestURI != string(target) || r.ContentLength != int64(length) || r.Close ||
			len(r.TransferEncoding) > 0 || r.Header.Get("Origin") != "" || r.Header.Get("Expect") != "" {
			t.Fatalf("net/http reads %q as %+v", b[:end], r)
		}
	})
}

func TestParsePlainPost(t *testing.T) {
	if target, length, ok := parsePlainPost([]byte(plainPost)); !ok || string(target) != "/apps/1/events?a=b" || length != 2 {
		t.Errorf("%q, %d, %v", target, length, ok)
	}
	for name, header := range map[string]string{
		"chunked":        "Host: h\r\nTransfer-Encoding: chunked\r\n",
		"no length":      "Host: h\r\n",
		"two lengths":    "Host: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n",
		"signed length":  "Host: h\r\nContent-Length: +2\r\n",
		"long length":    "Host: h\r\nContent-Length: 1000000\r\n",
		"no host":        "Content-Length: 2\r\n",
		"two hosts":      "Host: h\r\nHost: h\r\nContent-Length: 2\r\n",
		"odd host":       "Host: h/x\r\nContent-Length: 2\r\n",
		"expect":         "Host: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n",
		"close":          "Host: h\r\nContent-Length: 2\r\nConnection: close\r\n",
		"upgrade":        "Host: h\r\nContent-Length: 2\r\nConnection: keep-alive\r\nUpgrade: h2c\r\n",
		"of a browser":   "Host: h\r\nContent-Length: 2\r\nOrigin: http://h\r\n",
		"folded":         "Host: h\r\nContent-Length: 2\r\nX: a\r\n b\r\n",
		"space in name":  "Host: h\r\nContent-Length : 2\r\n",
		"control":        "Host: h\r\nContent-Length: 2\r\nX: a\x01\r\n",
		"bare line feed": "Host: h\nContent-Length: 2\r\n",
	} {
		if _, _, ok := parsePlainPost([]byte("POST /apps/1/events HTTP/1.1\r\n" + header + "\r\n")); ok {
			t.Errorf("%s: taken for plain", name)
		}
	}
}
