package config

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// secretWords make a name that of a secret, wherever they stand in it. They are compared without case and without what
// separates words.
var secretWords = []string{
	"secret", "password", "passwd", "passphrase", "token", "credential", "signature", "cookie", "authorization", "bearer",
	"privatekey", "apikey", "accesskey", "encryptionkey", "signingkey", "webhookkey", "sshkey", "sharedkey", "masterkey", "sessionkey", "sessionid",
	"passcode", "mnemonic", "appkey", "apppreviouskeys",
}

// secretEnds are secret where they are the last word of a name, and common in others.
var secretEnds = []string{"pass", "pwd", "jwt", "otp", "totp", "pin", "cvv", "cvc", "csrf", "xsrf", "sid", "session"}

// SecretName reports whether a variable, or a field of a message, with this name holds what should not be shown: a
// password, a token, or the key that a Laravel site encrypts with. The keys of Reverb's and Pusher's apps are public.
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
	return slices.Contains(secretEnds, lastWord(name))
}

// lastWord is what stands behind the last separator, or change of case, of a name: "pass" of "DB_PASS", "dbPass" and
// "pass".
func lastWord(name string) string {
	if i := strings.LastIndexFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }); i >= 0 {
		_, size := utf8.DecodeRuneInString(name[i:])
		name = name[i+size:]
	}
	begin, lower := 0, false
	for i, r := range name {
		if unicode.IsUpper(r) && lower {
			begin = i
		}
		lower = unicode.IsLower(r)
	}
	return strings.ToLower(name[begin:])
}

// Secrets are the texts that must not appear in anything that is shown: the values of all keys that are secret, each of
// a list, and the passwords of URLs.
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
