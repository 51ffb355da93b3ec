package e2e_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gobwas/ws"

	"reverb/internal/testclient"
	"reverb/internal/testtool"
)

// proxy is a real one that runs with a file of deploy/, of which only places and ports are changed.
type proxy struct {
	addr   string
	scheme string // ws or wss
	s      *testclient.Server
	dir    string
}

// shipped returns a file of deploy/ with changes, all of which must be possible.
func shipped(t *testing.T, name string, changes ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../deploy", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("deploy/%s has no %q", name, changes[i])
		}
		text = strings.ReplaceAll(text, changes[i], changes[i+1])
	}
	return text
}

// installed finds what e2e/install.sh installs.
func installed(t *testing.T, name string) string {
	t.Helper()
	return testtool.Find(t, name, "/usr/sbin/"+name)
}

// runProgram runs a program until the end of the test, and waits until addr answers.
func runProgram(t *testing.T, addr string, cmd *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", cmd.Path, output.String())
		}
	})
	waitFor(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

// certificateFiles are of localhost; both is the two in one file.
func certificateFiles(t *testing.T, dir string) (cert, key, both string) {
	t.Helper()
	c, k := selfSigned(t)
	cert, key, both = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "both.pem")
	writeFile(t, cert, c)
	writeFile(t, key, k)
	writeFile(t, both, append(append([]byte(nil), c...), k...))
	return cert, key, both
}

// runNginx runs deploy/nginx/nginx.conf with one site, or with a stream beside http.
func runNginx(t *testing.T, p *proxy, site, stream string) {
	t.Helper()
	writeFile(t, filepath.Join(p.dir, "site.conf"), []byte(site))
	module := ""
	if stream != "" {
		module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;"
	}
	temp := "http {\n"
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("    %s_temp_path %s/%s;\n", name, p.dir, name)
	}
	text := shipped(t, "nginx/nginx.conf", "user www-data;", "daemon off;", "/run/nginx.pid", p.dir+"/nginx.pid",
		"include /etc/nginx/modules-enabled/*.conf;", module, "http {\n", temp, "/var/log/nginx", p.dir,
		"include /etc/nginx/conf.d/*.conf;", "", "/etc/nginx/sites-enabled/*", p.dir+"/site.conf",
		"worker_rlimit_nofile 131072;", "worker_rlimit_nofile 4096;", "worker_connections 65536", "worker_connections 1024")
	conf := filepath.Join(p.dir, "nginx.conf")
	writeFile(t, conf, []byte(text+stream))
	runProgram(t, p.addr, exec.Command(nginx(t), "-c", conf, "-p", p.dir, "-e", filepath.Join(p.dir, "error.log")))
}

// from makes a dialer that connects from another address of this machine, so that there are several clients.
func from(client, scheme string) *ws.Dialer {
	d := &ws.Dialer{NetDial: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}).DialContext}
	if scheme == "wss" {
		d.TLSConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate was made a moment ago
	}
	return d
}

// behind starts the server that trusts 127.0.0.1 and lets an address have one connection.
func behind(t *testing.T, scheme, more string) *proxy {
	t.Helper()
	s := start(t, "trusted_proxies = [\"127.0.0.1\"]\n"+more+"\n[server.limits]\nmax_connections_per_address = 1\n", "")
	return &proxy{addr: "127.0.0.1:" + freePort(t), scheme: scheme, s: s, dir: t.TempDir()}
}

// check connects, publishes and looks whom the server counted.
func (p *proxy) check(t *testing.T) {
	t.Helper()
	connect := func(client string) *testclient.Client {
		c := testclient.Dial(t, p.addr, key, testclient.DialOptions{Scheme: p.scheme, Dialer: from(client, p.scheme)})
		c.Established()
		return c
	}
	c := connect("127.0.0.2")
	c.Join(secret, "private-proxied", "")
	app := firstApp(p.s)
	app.Base = strings.Replace(p.scheme, "ws", "http", 1) + "://" + p.addr
	app.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // as above
	defer app.Client.CloseIdleConnections()
	app.Post(t, "/events", `{"name":"a","channel":"private-proxied","data":"1"}`).Expect(t, 200, `{}`)
	c.Expect(`{"event":"a","data":"1","channel":"private-proxied"}`)
	testclient.Do(t, app.Client, "GET", app.Base+"/up", "").Expect(t, 200, `{"health":"OK"}`)
	p.refused(t, "127.0.0.2", "")
	p.refused(t, "127.0.0.2", "127.0.0.9")
	other := connect("127.0.0.3")
	other.Close()
	c.Close()
	waitFor(t, func() bool {
		conn, err := p.try("127.0.0.2", "")
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

// try upgrades as a client who says that he is another.
func (p *proxy) try(client, claims string) (net.Conn, error) {
	d := from(client, p.scheme)
	if claims != "" {
		d.Header = ws.HandshakeHeaderHTTP{"X-Forwarded-For": []string{claims}}
	}
	conn, _, _, err := d.Dial(context.Background(), p.scheme+"://"+p.addr+"/app/"+key+"?protocol=7")
	return conn, err
}

// refused wants an answer, not a gap that the proxy takes for a server that is down.
func (p *proxy) refused(t *testing.T, client, claims string) {
	t.Helper()
	conn, err := p.try(client, claims)
	if err == nil {
		_ = conn.Close()
		t.Fatalf("a second connection of %s, who says %q, was let in", client, claims)
	}
	var status ws.StatusError
	if errors.As(err, &status) && status != http.StatusTooManyRequests {
		t.Errorf("refused with %v, want 429", err)
	}
}

func TestBehindNginxTuned(t *testing.T) {
	p := behind(t, "wss", "")
	cert, key, _ := certificateFiles(t, p.dir)
	runNginx(t, p, shipped(t, "nginx/reverb.conf", "listen 80;", "listen 127.0.0.1:"+freePort(t)+";", "listen 443 ssl;", "listen "+p.addr+" ssl;",
		"server 127.0.0.1:8080", "server "+p.s.Addr, "/etc/letsencrypt/live/ws.example.com/fullchain.pem", cert,
		"/etc/letsencrypt/live/ws.example.com/privkey.pem", key), "")
	p.check(t)
}

func TestBehindNginxOfTheManual(t *testing.T) {
	p := behind(t, "ws", "")
	runNginx(t, p, shipped(t, "nginx/manual.conf", "listen 80;", "listen "+p.addr+";", "http://0.0.0.0:8080", "http://"+p.s.Addr), "")
	p.check(t)
}

func TestBehindNginxUnderAPrefix(t *testing.T) {
	p := behind(t, "ws", `path = "ws"`)
	runNginx(t, p, shipped(t, "nginx/manual.conf", "listen 80;", "listen "+p.addr+";", "http://0.0.0.0:8080", "http://"+p.s.Addr), "")
	c := testclient.Dial(t, p.addr, key, testclient.DialOptions{Path: "/ws/app/" + key + "?protocol=7"})
	c.Established()
	c.Join(secret, "private-prefix", "")
	app := firstApp(p.s)
	app.Base = "http://" + p.addr + "/ws"
	app.Get(t, "/channels/private-prefix", nil).Expect(t, 200, `{"occupied":true}`)
}

func TestBehindNginxStream(t *testing.T) {
	p := behind(t, "ws", "proxy_protocol = true")
	runNginx(t, p, "", shipped(t, "nginx/stream.conf", "listen 443;", "listen "+p.addr+";", "server 127.0.0.1:8080", "server "+p.s.Addr))
	p.check(t)
}

func TestBehindHAProxy(t *testing.T) {
	p := behind(t, "wss", "")
	_, _, both := certificateFiles(t, p.dir)
	runHAProxy(t, p, shipped(t, "haproxy/haproxy.cfg", "bind :443", "bind "+p.addr, "/etc/haproxy/certs/ws.example.com.pem", both,
		"server node1 127.0.0.1:8080", "server node1 "+p.s.Addr, "maxconn 100000", "maxconn 100"))
	p.check(t)
}

func TestBehindHAProxyTCP(t *testing.T) {
	p := behind(t, "ws", "proxy_protocol = true")
	runHAProxy(t, p, shipped(t, "haproxy/tcp.cfg", "bind :443", "bind "+p.addr, "server node1 127.0.0.1:8080", "server node1 "+p.s.Addr,
		"maxconn 100000", "maxconn 100"))
	p.check(t)
}

func runHAProxy(t *testing.T, p *proxy, text string) {
	t.Helper()
	conf := filepath.Join(p.dir, "haproxy.cfg")
	writeFile(t, conf, []byte(text))
	if out, err := exec.Command(installed(t, "haproxy"), "-c", "-f", conf).CombinedOutput(); err != nil {
		t.Fatalf("check: %v\n%s", err, out)
	}
	runProgram(t, p.addr, exec.Command(installed(t, "haproxy"), "-db", "-f", conf))
}

func TestBehindCaddy(t *testing.T) {
	p := behind(t, "ws", "")
	conf := filepath.Join(p.dir, "Caddyfile")
	// A site on a port of its own asks nobody for a certificate.
	text := shipped(t, "caddy/Caddyfile", "ws.example.com {", "http://:"+p.addr[len("127.0.0.1:"):]+" {", "127.0.0.1:8080", p.s.Addr)
	writeFile(t, conf, []byte("{\n\tadmin off\n\tauto_https off\n}\n"+text))
	cmd := exec.Command(installed(t, "caddy"), "run", "--config", conf, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir, "XDG_DATA_HOME="+p.dir)
	runProgram(t, p.addr, cmd)
	p.check(t)
}
