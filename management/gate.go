package management

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"reverb/config"
)

const (
	maxLogins  = 64             // the longest idle one is ended for a new one
	loginLasts = 12 * time.Hour // then the password is asked for again
)

// gate knows the password and the browsers that have given it. All methods may be called from any goroutine.
type gate struct {
	// Constant after newGate.
	open bool // no password is asked for
	user [sha256.Size]byte
	hash []byte // bcrypt; empty: there is no login, unless open

	attempts attempts

	mu sync.Mutex
	// Guarded by mu.
	logins map[[sha256.Size]byte]*login // by the hash of the token: the comparison tells nothing of it
}

// login is one browser that gave the password.
type login struct {
	ends  time.Time // constant
	ended chan struct{}
	used  time.Time // guarded by gate.mu
}

func newGate(conf *config.Dashboard) *gate {
	return &gate{
		open: conf.Open(), user: sha256.Sum256([]byte(conf.Username)), hash: []byte(conf.PasswordHash),
		logins: make(map[[sha256.Size]byte]*login),
	}
}

// locked reports whether a password is asked for.
func (g *gate) locked() bool { return !g.open }

// check takes as long for an unknown user as for a wrong password.
func (g *gate) check(user, password string) bool {
	given := sha256.Sum256([]byte(user))
	known := subtle.ConstantTimeCompare(given[:], g.user[:]) == 1
	g.attempts.checking.Lock()
	defer g.attempts.checking.Unlock()
	right := bcrypt.CompareHashAndPassword(g.hash, []byte(password)) == nil
	return known && right
}

// enter begins a login and returns its token.
func (g *gate) enter() string {
	token, now := rand.Text(), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweepLocked(now)
	if len(g.logins) >= maxLogins {
		g.endOldestLocked()
	}
	g.logins[sha256.Sum256([]byte(token))] = &login{ends: now.Add(loginLasts), ended: make(chan struct{}), used: now}
	return token
}

// find returns the login of a token, nil if there is none.
func (g *gate) find(token string) *login {
	if token == "" {
		return nil
	}
	key, now := sha256.Sum256([]byte(token)), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.logins[key]
	switch {
	case l == nil:
		return nil
	case !now.Before(l.ends):
		g.endLocked(key)
		return nil
	}
	l.used = now
	return l
}

// leave ends the login of a token.
func (g *gate) leave(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endLocked(sha256.Sum256([]byte(token)))
}

func (g *gate) endLocked(key [sha256.Size]byte) {
	if l := g.logins[key]; l != nil {
		close(l.ended)
		delete(g.logins, key)
	}
}

func (g *gate) sweepLocked(now time.Time) {
	for key, l := range g.logins {
		if !now.Before(l.ends) {
			g.endLocked(key)
		}
	}
}

func (g *gate) endOldestLocked() {
	var oldest [sha256.Size]byte
	var used time.Time
	for key, l := range g.logins {
		if used.IsZero() || l.used.Before(used) {
			oldest, used = key, l.used
		}
	}
	g.endLocked(oldest)
}
