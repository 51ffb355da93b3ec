package restart

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"reverb/config"
	"reverb/laravel/database"
)

// tableStore is the store "database": a row for each key. (Laravel: DatabaseStore)
type tableStore struct {
	db        *sql.DB
	statement string
	keys      []any
}

func openTable(c config.Cache) (*tableStore, error) {
	db, err := database.Open(c.Database)
	if err != nil {
		return nil, err
	}
	mark, places := "`", func(int) string { return "?" }
	switch c.Database.Driver {
	case config.DriverPostgres:
		mark, places = `"`, func(n int) string { return "$" + strconv.Itoa(n) }
	case config.DriverSQLite:
		mark = `"`
	}
	quoted := func(name string) string {
		var parts []string
		for part := range strings.SplitSeq(name, ".") { // a table of another schema
			parts = append(parts, mark+strings.ReplaceAll(part, mark, mark+mark)+mark)
		}
		return strings.Join(parts, ".")
	}
	s := &tableStore{db: db}
	var in []string
	for i, prefix := range c.Prefixes {
		in = append(in, places(i+1))
		s.keys = append(s.keys, prefix+signalKey)
	}
	key := quoted("key")
	s.statement = "select " + quoted("value") + " from " + quoted(c.Database.Prefix+c.Table) +
		" where " + key + " in (" + strings.Join(in, ", ") + ") order by " + key
	return s, nil
}

func (s *tableStore) read(ctx context.Context) (string, error) {
	rows, err := s.db.QueryContext(ctx, s.statement, s.keys...)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var value []byte
		if err := rows.Scan(&value); err != nil {
			return "", err
		}
		all = append(all, string(value))
	}
	return strings.Join(all, "\n"), rows.Err()
}

func (s *tableStore) close() { _ = s.db.Close() }

func (s *tableStore) names() []string {
	names := make([]string, len(s.keys))
	for i, key := range s.keys {
		names[i], _ = key.(string)
	}
	return names
}
