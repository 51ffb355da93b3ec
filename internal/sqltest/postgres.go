package sqltest

import (
	"path/filepath"
	"strconv"
	"testing"

	"reverb/internal/testtool"
)

// Postgres starts one. It wants the password.
func Postgres(t testing.TB) *Server {
	t.Helper()
	const packaged = "/usr/lib/postgresql/*/bin/"
	initdb := testtool.Find(t, "initdb", packaged+"initdb")
	daemon := testtool.Find(t, "postgres", packaged+"postgres")
	s := newServer(t, "database system is ready to accept connections")
	data := filepath.Join(s.dir, "data")
	s.run(initdb, "--pgdata="+data, "--username="+User, "--auth=scram-sha-256", "--pwfile="+s.write("password", Password),
		"--no-sync", "--encoding=UTF8", "--no-locale")
	s.createDatabase(daemon, data)
	s.command = []string{daemon, "-D", data, "-h", s.Host, "-p", strconv.Itoa(s.Port), "-k", s.dir, "-c", "fsync=off"}
	s.Start()
	return s
}

// createDatabase makes the database in single-user mode, which needs no password.
func (s *Server) createDatabase(daemon, data string) {
	s.t.Helper()
	cmd := s.prepare(daemon, "--single", "-D", data, "postgres")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	go func() {
		_, _ = stdin.Write([]byte("create database " + Name + ";\n"))
		_ = stdin.Close()
	}()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("create database: %v\n%s", err, out)
	}
}
