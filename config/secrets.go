package config

import (
	"net/url"
	"strings"
)

// secretWords make a name that of a secret, wherever they stand in it. They are compared without case and without what separates words.
var secretWords = []string{
	"secret", "password", "passwd", "passphrase", "token", "credential", "signature", "cookie", "authorization", "bearer",
	"privatekey", "apikey", "accesskey", "encryptionkey", "appkey", "apppreviouskeys",
}

// SecretName reports whether a variable, or a field of a message, with this name holds what should not be shown: a password, a token, or
// the key that a Laravel site encrypts with. The keys of Reverb's and Pusher's apps are public.
func SecretName(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "", ".", "", " ", "", ":", "").Replace(strings.ToLower(name))
	for _, word := range secretWords {
		if !strings.Contains(plain, word) {
			continue
		}
		public := strings.HasPrefix(word, "app") && (strings.Contains(plain, "reverb"+word) || strings.Contains(plain, "pusher"+word))
		if !public {
			return true
		}
	}
	return false
}

// Secrets are the texts that must not appear in anything that is shown: the values of all keys that are secret, each of a list, and the
// passwords of URLs.
func (c *Config) Secrets() []string {
	var all []string
	add := func(s setting) {
		switch s := s.(type) {
		case urlSetting:
			if u, err := url.Parse(*s.p); err == nil {
				if password, ok := u.User.Password(); ok {
					all = append(all, password)
				}
			}
			all = append(all, *s.p)
		case textSetting:
			all = append(all, *s.p)
		case listSetting:
			all = append(all, *s.p...)
		}
	}
	for _, k := range serverKeys {
		if k.secret {
			add(k.at(c))
		}
	}
	for _, app := range c.Apps {
		for _, k := range appKeys {
			if k.secret {
				add(k.at(app))
			}
		}
	}
	return all
}
