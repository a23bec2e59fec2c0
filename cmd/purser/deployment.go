package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"purser"
	"purser/internal/deliver"
	"purser/internal/operate"
	"purser/internal/server"
	"purser/internal/store/sqlite"
	"purser/internal/workforce"
)

// dataFlag is the directory that most subcommands work on.
type dataFlag struct {
	Data string `required:"" type:"path" help:"The data directory." env:"PURSER_DATA"`
}

// label says whether a demo or scratch directory will do.
type label uint8

const (
	labelRefused label = iota
	labelAllowed
)

func allowIf(scratch bool) label {
	if scratch {
		return labelAllowed
	}
	return labelRefused
}

// open opens the deployment in the directory with its configuration file.
func (f dataFlag) open(ctx context.Context, s streams, logger *slog.Logger, labelled label) (*server.Deployment, operate.Config, error) {
	config, c, err := f.config(s, logger, labelled)
	if err != nil {
		return nil, c, err
	}
	defer clear(config.Passphrase)
	d, err := server.Open(ctx, config)
	switch {
	case errors.Is(err, server.ErrLabelled):
		err = usage(fmt.Errorf("%s: %w", f.Data, err))
	case errors.Is(err, sqlite.ErrNoDatabase):
		err = usage(err)
	}
	return d, c, err
}

// config reads the configuration file, and what opens the keyset. The caller
// clears the passphrase.
func (f dataFlag) config(s streams, logger *slog.Logger, labelled label) (server.Config, operate.Config, error) {
	c, err := operate.Load(f.Data)
	if err != nil {
		return server.Config{}, c, usage(err)
	}
	config := server.Config{
		Data: f.Data, Software: version, Region: c.Region, Company: c.Company,
		RP:    workforce.RP{ID: c.Host(), Name: "Purser", Origins: []string{c.Origin}},
		Clock: server.NewSystemClock(), Random: rand.Reader, Logger: logger, Labelled: labelled == labelAllowed,
		Progress: entryProgress(s.err, "reading the ledger"),
	}
	if c.PassphraseFile != "" {
		if config.Passphrase, err = c.Passphrase(); err != nil {
			return config, c, usage(err)
		}
		config.Ask = c.Passphrase
	}
	if c.KeysetKMS != "" {
		if config.Master, err = operate.MasterAt(c.KeysetKMS); err != nil {
			return config, c, usage(err)
		}
	}
	if config.Mail, err = mailConfig(c.Mail); err != nil {
		return config, c, usage(err)
	}
	return config, c, nil
}

func mailConfig(m operate.Mail) (*deliver.MailConfig, error) {
	if m.Host == "" {
		return nil, nil //nolint:nilnil // no mail server is a configuration
	}
	c := &deliver.MailConfig{Host: m.Host, Port: m.Port, From: m.From, Name: m.Username}
	switch {
	case m.Plain:
		c.Security = deliver.PlainLoopback
	case m.ImplicitTLS:
		c.Security = deliver.ImplicitTLS
	}
	if m.PasswordFile != "" {
		secret, err := operate.ReadSecret(m.PasswordFile)
		if err != nil {
			return nil, err
		}
		c.Password = string(secret)
	}
	return c, nil
}

// entryProgress shows long work on a terminal, with rate and time left, and
// nothing elsewhere.
func entryProgress(w io.Writer, what string) func(done, total purser.Pos) {
	show := progress(w, what)
	return func(done, total purser.Pos) { show(int64(done), int64(total)) }
}

// progress is the same for anything counted.
func progress(w io.Writer, what string) func(done, total int64) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int64, int64) {}
	}
	var bar *progressbar.ProgressBar
	return func(done, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
				progressbar.OptionShowIts(), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(20))
		}
		_ = bar.Set64(done) // a terminal that went away is no fault of the work
	}
}

// logger writes one JSON event a line to standard error.
func logger(s streams) *slog.Logger {
	return slog.New(slog.NewJSONHandler(s.err, nil))
}

// quiet is for short commands: faults only, in words.
func quiet(s streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
}
