package pulse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"reverb/config"
	"reverb/laravel/database"
)

// rowsPerStatement is the chunk that Pulse itself takes. SQLite takes 32,766 parameters, the others 65,535.
const rowsPerStatement = 1000

// errNoTable says that the migrations of Pulse have not been run.
var errNoTable = errors.New("there is no table pulse_aggregates: run `php artisan migrate` in the site that has Laravel Pulse")

// storage writes to the table pulse_aggregates, as the ingest driver "storage" of Pulse does.
type storage struct {
	// Constant after construction.
	db      *sql.DB
	dialect dialect

	// Owned by the recorder's goroutine.
	upsert *upsert // nil: the table has to be looked at
}

func newStorage(c config.Database) (*storage, error) {
	db, err := database.Open(c)
	if err != nil {
		return nil, err
	}
	return &storage{db: db, dialect: dialectOf(c)}, nil
}

func (s *storage) close() { _ = s.db.Close() }

// write adds all counts or none: whatever is wrong before the commit leaves nothing behind.
func (s *storage) write(ctx context.Context, counts []count, now time.Time) (left []count, unsure uint64, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return counts, 0, fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := s.writeRows(ctx, tx, aggregate(counts, now)); err != nil {
		s.upsert = nil // the table may have been changed by a migration
		return counts, 0, fmt.Errorf("write to the database: %w", err)
	}
	if err := tx.Commit(); err != nil {
		for _, c := range counts {
			unsure += c.n
		}
		return nil, unsure, fmt.Errorf("commit to the database: %w", err)
	}
	return nil, 0, nil
}

func (s *storage) writeRows(ctx context.Context, tx *sql.Tx, rows []row) error {
	if s.upsert == nil {
		hashed, err := s.dialect.hashIsGenerated(ctx, tx)
		if err != nil {
			return err
		}
		s.upsert = s.dialect.upsert(!hashed)
	}
	for len(rows) > 0 {
		some := rows[:min(len(rows), rowsPerStatement)]
		if _, err := tx.ExecContext(ctx, s.upsert.text(len(some)), s.upsert.arguments(some)...); err != nil {
			return err
		}
		rows = rows[len(some):]
	}
	return nil
}
