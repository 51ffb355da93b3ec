// Package account names the users of the system.
package account

import (
	"os/user"
	"strconv"
	"strings"
)

// Name is the name of a user. It is not ok when the system does not know the user, or the name has more than one line.
func Name(uid int) (name string, ok bool) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil || strings.ContainsAny(u.Username, "\r\n") {
		return "", false
	}
	return u.Username, true
}
