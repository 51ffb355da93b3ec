package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"reverb/internal/testclient"
	"reverb/internal/testtool"
)

// nginxSite is the site of Reverb's manual ("Web Server") with the ports of the test, and what nginx needs around it to run in a folder.
const nginxSite = `
worker_processes 1;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    server {
        listen 127.0.0.1:%[2]s;
        location / {
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Scheme $scheme;
            proxy_set_header SERVER_PORT $server_port;
            proxy_set_header REMOTE_ADDR $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "Upgrade";

            proxy_pass http://%[3]s;
        }
    }
}
`

func TestBehindNginx(t *testing.T) {
	s := start(t, "", "")
	dir := t.TempDir()
	port := freePort(t)
	conf := filepath.Join(dir, "nginx.conf")
	writeFile(t, conf, fmt.Appendf(nil, nginxSite, dir, port, s.Addr))
	var output bytes.Buffer
	cmd := exec.Command(nginx(t), "-c", conf, "-p", dir, "-e", filepath.Join(dir, "error.log"))
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	addr := "127.0.0.1:" + port
	waitFor(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	c := testclient.Connect(t, addr, key)
	c.Join(secret, "private-nginx", "")
	app := firstApp(s)
	app.Base = "http://" + addr
	app.Post(t, "/events", `{"name":"a","channel":"private-nginx","data":"1"}`).Expect(t, 200, `{}`)
	c.Expect(`{"event":"a","data":"1","channel":"private-nginx"}`)
	app.Get(t, "/channels/private-nginx", info("subscription_count")).Expect(t, 200, `{"occupied":true,"subscription_count":1}`)
	testclient.Do(t, nil, "GET", app.Base+"/up", "").Expect(t, 200, `{"health":"OK"}`)
	refused := testclient.Dial(t, addr, "unknown", testclient.DialOptions{})
	refused.ExpectError(4001, "Application does not exist")
	refused.ExpectClose(4001)
}

// nginx is where the Debian package puts it, which is not on every user's path.
func nginx(t *testing.T) string {
	t.Helper()
	return testtool.Find(t, "nginx", "/usr/sbin/nginx")
}
