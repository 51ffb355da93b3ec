package main

import (
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
)

// release is the version that the build was given: -ldflags "-X main.release=v1.2.3".
var release string

func versionCommand(out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "Show the version of this program",
		Action: func(*cli.Context) error {
			out.Text("reverb " + version() + " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")\n")
			return nil
		},
	}
}

// version is the release, or the commit for a build of a checkout.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			return "development-" + setting.Value[:12]
		}
	}
	return "development"
}
