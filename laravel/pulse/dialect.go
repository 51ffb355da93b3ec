package pulse

import (
	"context"
	"crypto/md5" // what Pulse hashes its keys with; nothing depends on its strength
	"database/sql"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"reverb/config"
)

// dialect is how one kind of database wants things said.
type dialect struct {
	// table is pulse_aggregates with the site's prefix.
	table string
	quote func(name string) string
	// placeholder stands for the parameter with this number, from 1; hash: it is the one for key_hash.
	placeholder func(n int, hash bool) string
	// conflict ends the statement: the value of a row that is there is added to.
	conflict func(table, value string) string
	// generated asks whether the database makes key_hash itself; no row: there is no table.
	generated string
	// hash is key_hash of a key, for a database that does not.
	hash func(key string) any
}

func dialectOf(c config.Database) dialect {
	table := c.Prefix + "pulse_aggregates"
	switch c.Driver {
	case config.DriverPostgres:
		return postgres(table)
	case config.DriverSQLite:
		return sqlite(table)
	}
	return mysql(table)
}

func mysql(table string) dialect {
	return dialect{
		table:       table,
		quote:       func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" },
		placeholder: func(int, bool) string { return "?" },
		conflict: func(_, value string) string {
			return " on duplicate key update " + value + " = " + value + " + values(" + value + ")"
		},
		// MySQL no longer wants md5() in generated columns, so some sites have a plain column that is filled by Pulse.
		generated: "select extra like '%GENERATED%' from information_schema.columns " +
			"where table_schema = database() and table_name = ? and column_name = 'key_hash'",
		hash: func(key string) any {
			sum := md5.Sum([]byte(key))
			return sum[:]
		},
	}
}

func postgres(table string) dialect {
	return dialect{
		table: table,
		quote: doubleQuote,
		placeholder: func(n int, hash bool) string {
			if hash {
				return "$" + strconv.Itoa(n) + "::uuid"
			}
			return "$" + strconv.Itoa(n)
		},
		conflict: onConflict,
		generated: "select attgenerated <> '' from pg_attribute " +
			"where attrelid = to_regclass(quote_ident($1)) and attname = 'key_hash' and not attisdropped",
		hash: hexHash,
	}
}

func sqlite(table string) dialect {
	return dialect{
		table:       table,
		quote:       doubleQuote,
		placeholder: func(int, bool) string { return "?" },
		conflict:    onConflict,
		generated:   "select hidden in (2, 3) from pragma_table_xinfo(?) where name = 'key_hash'",
		hash:        hexHash,
	}
}

func doubleQuote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func onConflict(table, value string) string {
	return ` on conflict ("bucket", "period", "type", "aggregate", "key_hash") do update set ` + value + " = " + table + "." + value +
		` + "excluded".` + value
}

func hexHash(key string) any {
	sum := md5.Sum([]byte(key))
	return hex.EncodeToString(sum[:])
}

// hashIsGenerated looks at the table.
func (d *dialect) hashIsGenerated(ctx context.Context, tx *sql.Tx) (generated bool, err error) {
	err = tx.QueryRowContext(ctx, d.generated, d.table).Scan(&generated)
	if errors.Is(err, sql.ErrNoRows) {
		return false, errNoTable
	}
	return generated, err
}

// upsert is the statement that adds to the aggregates.
type upsert struct {
	dialect
	withHash bool
	head     string // up to the rows
	columns  int    // parameters of a row
}

func (d *dialect) upsert(withHash bool) *upsert {
	columns := []string{"bucket", "period", "type", "key", "value"}
	if withHash {
		columns = append(columns, "key_hash")
	}
	quoted := make([]string, len(columns))
	for i, name := range columns {
		quoted[i] = d.quote(name)
	}
	return &upsert{
		dialect:  *d,
		withHash: withHash,
		head:     "insert into " + d.quote(d.table) + " (" + d.quote("aggregate") + ", " + strings.Join(quoted, ", ") + ") values ",
		columns:  len(columns),
	}
}

// text is the statement for so many rows.
func (u *upsert) text(rows int) string {
	var b strings.Builder
	b.WriteString(u.head)
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("('count'")
		for j := range u.columns {
			b.WriteString(", " + u.placeholder(i*u.columns+j+1, u.withHash && j == u.columns-1))
		}
		b.WriteByte(')')
	}
	b.WriteString(u.conflict(u.quote(u.table), u.quote("value")))
	return b.String()
}

func (u *upsert) arguments(rows []row) []any {
	args := make([]any, 0, len(rows)*u.columns)
	for _, r := range rows {
		args = append(args, r.bucket, r.period, r.kind, r.app, r.value)
		if u.withHash {
			args = append(args, u.hash(r.app))
		}
	}
	return args
}
