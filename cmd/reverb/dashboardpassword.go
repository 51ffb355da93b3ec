package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/term"

	"reverb/internal/console"
)

const (
	passwordCost = 12 // a quarter of a second; Laravel's default too
	minPassword  = 8  // characters
	maxPassword  = 72 // bytes; bcrypt looks at no more
)

func dashboardPasswordCommand(p process, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "dashboard-password",
		Usage: "Make the password_hash of the dashboard from a password that is typed, or read from standard input",
		Action: func(*cli.Context) error {
			password, err := readPassword(p.stdin, p.stderr)
			if err != nil {
				return err
			}
			return printHash(out, password)
		},
	}
}

// printHash prints a line for config.toml.
func printHash(out *console.Console, password string) error {
	switch {
	case len([]rune(password)) < minPassword:
		return fmt.Errorf("the password needs at least %d characters", minPassword)
	case len(password) > maxPassword:
		return fmt.Errorf("the password may have %d bytes at most", maxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	out.Text("password_hash = \"" + string(hash) + "\"\n")
	return nil
}

// readPassword asks twice and shows nothing when somebody types; otherwise it takes the first line.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	first, err := ask(f, prompt, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := ask(f, prompt, "Again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", errors.New("the two are not the same")
	}
	return first, nil
}

func ask(f *os.File, prompt io.Writer, text string) (string, error) {
	_, _ = io.WriteString(prompt, text)
	typed, err := term.ReadPassword(int(f.Fd()))
	_, _ = io.WriteString(prompt, "\n")
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(typed), nil
}
