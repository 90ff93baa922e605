package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// insertion stores a post. A second delivery of the same post finds the row, and leaves it as it is.
const insertion = `INSERT INTO posts
	(id, title, content, author, verdict, reasons, ruleset, submitted_at, reviewed_at, recorded_at, worker, attempts, scores)
	VALUES (?, ?, ?, ?, 'approved', '[]', 'none', ?, ?, ?, ?, 1, '[]') ON DUPLICATE KEY UPDATE id = id`

// direct takes posts over HTTP and stores each before it answers: what a site does that has no queue.
func direct(stop context.Context, args []string) error {
	flags := flag.NewFlagSet("direct", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:8081", "the address to listen on")
	dsn := flags.String("dsn", "", "the database, as user:password@tcp(host:port)/name or mysql://user:password@host:port/name; by default what DATABASE_URL says")
	_ = flags.Parse(args) // It ends the program at an error.

	table, err := openTable(given(*dsn, "DATABASE_URL"), 32)
	if err != nil {
		return err
	}
	defer table.close()
	keep := func(ctx context.Context, post *post) error { return table.insert(ctx, post, "go-direct") }
	return serve(stop, *listen, posts(keep, http.StatusCreated, "stored", "Post stored successfully"))
}

// table is the table of posts.
type table struct {
	db   *sql.DB
	into *sql.Stmt
}

// openTable prepares the statement once; database/sql prepares it again on each connection that it runs on.
func openTable(dsn string, connections int) (*table, error) {
	source, err := dataSource(dsn)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("mysql", source)
	if err != nil {
		return nil, err
	}
	// As many idle as open: the default of two idle ones would connect anew for most requests.
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	into, err := db.Prepare(insertion)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("cannot prepare the insert in the database given by --dsn: %w", err)
	}
	return &table{db, into}, nil
}

func (t *table) insert(ctx context.Context, post *post, worker string) error {
	at := now()
	_, err := t.into.ExecContext(ctx, post.ID, post.Title, post.Content, post.Author, post.SubmittedAt, at, at, worker)
	return err
}

func (t *table) close() {
	t.into.Close()
	t.db.Close()
}

// dataSource turns mysql://user:password@host:port/name, as Sluice has it, into the form of the driver.
func dataSource(dsn string) (string, error) {
	if !strings.HasPrefix(dsn, "mysql://") {
		return dsn, nil
	}
	at, err := url.Parse(dsn)
	if err != nil {
		// Not the error of the parser: it repeats the password.
		return "", fmt.Errorf("--dsn begins with mysql:// but is no URL")
	}
	config := mysql.NewConfig()
	config.User = at.User.Username()
	config.Passwd, _ = at.User.Password()
	config.Net = "tcp"
	config.Addr = at.Host
	config.DBName = strings.TrimPrefix(at.Path, "/")
	config.Timeout = 10 * time.Second
	return config.FormatDSN(), nil
}
