package sqltest

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"reverb/internal/testtool"
)

// MariaDB starts one. Its Unix socket is Socket.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	install := testtool.Find(t, "mariadb-install-db")
	daemon := testtool.Find(t, "mariadbd", "/usr/sbin/mariadbd")
	s := newServer(t, "ready for connections")
	password := strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(Password)
	setup := s.write("setup.sql", "create database if not exists "+Name+";\n"+
		"create user if not exists "+User+"@'%' identified by '"+password+"';\n"+
		"grant all on "+Name+".* to "+User+"@'%';\n")
	data := filepath.Join(s.dir, "data")
	s.run(install, "--no-defaults", "--datadir="+data, "--skip-test-db", "--auth-root-authentication-method=normal", "--skip-name-resolve")
	s.command = []string{daemon, "--no-defaults", "--datadir=" + data, "--bind-address=" + s.Host, "--port=" + strconv.Itoa(s.Port),
		"--socket=" + s.Socket(), "--pid-file=" + filepath.Join(s.dir, "pid"), "--init-file=" + setup,
		"--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve"}
	s.Start()
	return s
}

// Socket is the path of MariaDB's Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, "sock") }
