package sqlite

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitemigration"
	"zombiezen.com/go/sqlite/sqlitex"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks the file as Purser's ("purs").
const applicationID = 0x70757273

// Conditions of a database that this program must not touch.
var (
	// ErrTooNew says that a later program changed the tables in a way this
	// one does not know.
	ErrTooNew = errors.New("the database needs a newer program")
	// ErrMigrationChanged says that the database was made by other migrations
	// than this program's.
	ErrMigrationChanged = errors.New("the database was made by other migrations")
)

// migration is one numbered change of the tables.
type migration struct {
	number   int
	title    string
	checksum string
	// lowest is the number of the last migration that a program must know to
	// run on a database that has this one.
	lowest int
	text   string
}

// readMigrations reads the embedded files NNN_title.sql. Each opens with the
// line "-- lowest: N".
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, name := range names { // in order: Glob sorts
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		m, err := parseMigration(name, string(text))
		if err != nil {
			return nil, err
		}
		if m.number != len(all)+1 {
			return nil, fmt.Errorf("migration %s: want number %d", name, len(all)+1)
		}
		all = append(all, m)
	}
	return all, nil
}

func parseMigration(name, text string) (migration, error) {
	number, title, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(name, "migrations/"), ".sql"), "_")
	head, _, _ := strings.Cut(text, "\n")
	lowest, ok2 := strings.CutPrefix(head, "-- lowest: ")
	if !ok || !ok2 {
		return migration{}, fmt.Errorf("migration %s: want NNN_title.sql opening with \"-- lowest: N\"", name)
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return migration{}, fmt.Errorf("migration %s: %w", name, err)
	}
	l, err := strconv.Atoi(strings.TrimSpace(lowest))
	if err != nil {
		return migration{}, fmt.Errorf("migration %s: %w", name, err)
	}
	sum := sha256.Sum256([]byte(text))
	return migration{number: n, title: title, checksum: hex.EncodeToString(sum[:]), lowest: l, text: text}, nil
}

// script is the migration with the row that records it, so that both land in
// one transaction. Title and checksum hold no quote: one is from our file
// name, the other is hexadecimal.
func (m migration) script() string {
	table := ""
	if m.number == 1 {
		table = `CREATE TABLE migration (
			number INTEGER PRIMARY KEY, title TEXT NOT NULL, checksum TEXT NOT NULL, lowest INTEGER NOT NULL
		) STRICT;`
	}
	return fmt.Sprintf("%s\n%s\nINSERT INTO migration (number, title, checksum, lowest) VALUES (%d, '%s', '%s', %d)",
		table, m.text, m.number, m.title, m.checksum, m.lowest)
}

// migrate brings the database up to date, or refuses it.
func migrate(ctx context.Context, conn *sqlite.Conn) error {
	known, err := readMigrations(migrationFiles)
	if err != nil {
		return err
	}
	// Checked before anything is written: an old program must not touch a
	// database that is too new for it.
	if err := checkMigrations(conn, known); err != nil {
		return err
	}
	schema := sqlitemigration.Schema{AppID: applicationID}
	for _, m := range known {
		schema.Migrations = append(schema.Migrations, m.script())
		schema.MigrationOptions = append(schema.MigrationOptions, &sqlitemigration.MigrationOptions{
			DisableForeignKeys: strings.Contains(m.text, "\n-- without foreign keys\n"),
		})
	}
	if err := sqlitemigration.Migrate(ctx, conn, schema); err != nil {
		return err
	}
	return checkMigrations(conn, known)
}

// checkMigrations compares what the database records with what we know.
func checkMigrations(conn *sqlite.Conn, known []migration) error {
	var tables int
	err := sqlitex.ExecuteTransient(conn, "SELECT count(*) FROM sqlite_schema WHERE name = 'migration'",
		&sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error { tables = s.ColumnInt(0); return nil }})
	if err != nil || tables == 0 {
		return err
	}
	return sqlitex.ExecuteTransient(conn, "SELECT number, title, checksum, lowest FROM migration ORDER BY number",
		&sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			number, title, lowest := s.ColumnInt(0), s.ColumnText(1), s.ColumnInt(3)
			if number > len(known) {
				if lowest > len(known) {
					return fmt.Errorf("%w: migration %03d_%s", ErrTooNew, number, title)
				}
				return nil
			}
			if m := known[number-1]; m.checksum != s.ColumnText(2) || m.title != title {
				return fmt.Errorf("%w: %03d_%s", ErrMigrationChanged, number, title)
			}
			return nil
		}})
}
