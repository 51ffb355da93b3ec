package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxBody is how much of an answer is read, bytes: enough to recognise an error page.
const maxBody = 64 << 10

// line is a connection to a target. Its user closes it.
type line struct {
	net.Conn
	in    *bufio.Reader
	chain []*x509.Certificate // of a secure target, the server's own first
}

// open connects, and secures the connection when the target is secure. Certificates are not judged here: a caller
// with a secret to send judges the chain first.
func (e *examination) open(ctx context.Context, t target, from *net.TCPAddr) (*line, error) {
	conn, err := e.probes.Dial(ctx, from, t.address())
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if !t.secure {
		return &line{Conn: conn, in: bufio.NewReader(conn)}, nil
	}
	// A certificate that is wrong is a finding, and what stands behind it is examined all the same.
	secured := tls.Client(conn, &tls.Config{ServerName: t.host, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return &line{Conn: secured, in: bufio.NewReader(secured), chain: secured.ConnectionState().PeerCertificates}, nil
}

// answer is what a server said to one request.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration // from the request to the end of the answer
}

// exchange sends one request and reads the answer; header lines end without a line break. After status 101 the line
// goes on.
func (l *line) exchange(now func() time.Time, method, host, target string, header []string, body string) (answer, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: reverb-doctor\r\n", method, target, host)
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	if method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	begun := now()
	if _, err := io.WriteString(l, b.String()); err != nil {
		return answer{}, fmt.Errorf("send request: %w", err)
	}
	res, err := http.ReadResponse(l.in, &http.Request{Method: method})
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errHungUp
		}
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	a := answer{status: res.StatusCode, header: res.Header}
	if res.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(res.Body, maxBody)) // an error page that breaks off is still one
		a.body = string(text)
		_ = res.Body.Close()
	}
	a.took = now().Sub(begun)
	return a, nil
}

var errHungUp = errors.New("the connection was closed without an answer")

// get asks a target once.
func (e *examination) get(t target, path string) (answer, error) {
	ctx, cancel := e.step()
	defer cancel()
	l, err := e.open(ctx, t, nil)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = l.Close() }()
	return l.exchange(e.probes.Now, http.MethodGet, t.authority(), t.prefix+path, []string{"Connection: close", "Accept: */*"}, "")
}

// isOurs says whether an answer comes from a server like this one, perhaps through a proxy.
func (a answer) isOurs() bool { return a.header.Get("X-Powered-By") == "Laravel Reverb" }

// isPage says whether the answer is a page for people.
func (a answer) isPage() bool {
	return strings.Contains(a.header.Get("Content-Type"), "html") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.body)), "<!doctype html")
}

// proxy is the name of what stands in front, as far as it tells it; "" when nothing does.
func (a answer) proxy() string {
	if a.header.Get("Cf-Ray") != "" {
		return "Cloudflare"
	}
	for _, name := range []string{"Server", "Via", "X-Served-By"} {
		if v := a.header.Get(name); v != "" {
			return short(v)
		}
	}
	return ""
}

// title is the title of a page, "" when it has none.
func (a answer) title() string {
	lower := strings.ToLower(a.body)
	_, rest, ok := strings.Cut(lower, "<title")
	if !ok {
		return ""
	}
	at := len(lower) - len(rest)
	open, end := strings.IndexByte(rest, '>'), strings.Index(rest, "</title")
	if open < 0 || end < open || len(lower) != len(a.body) {
		return ""
	}
	return short(strings.TrimSpace(a.body[at+open+1 : at+end]))
}

// short is what others said, on one line and not too long.
func short(s string) string {
	const most = 120
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
