package config

import "log/slog"

// Log is the table [log]: what the server says on its console.
type Log struct {
	Level  string // LogDebug, LogInfo, LogWarn or LogError: lines below it are left out; LogInfo
	Format string // LogConsole or LogJSON; LogConsole
}

// The values of Log.Level.
const (
	LogDebug = "debug"
	LogInfo  = "info"
	LogWarn  = "warn"
	LogError = "error"
)

// The values of Log.Format.
const (
	LogConsole = "console" // lines as those of Laravel's console
	LogJSON    = "json"    // one JSON object a line
)

func defaultLog() Log { return Log{Level: LogInfo, Format: LogConsole} }

// Slog is the level as the standard library has it.
func (l Log) Slog() slog.Level {
	switch l.Level {
	case LogDebug:
		return slog.LevelDebug
	case LogWarn:
		return slog.LevelWarn
	case LogError:
		return slog.LevelError
	}
	return slog.LevelInfo
}

// LogOf is the table [log] of a source, as far as it can be read, for a program that has to say that the rest cannot.
func LogOf(s Source) Log {
	l := newLoader(s)
	l.readFile(s.File)
	l.readEnv(s)
	return l.cfg.Log
}
