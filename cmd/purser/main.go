// Command purser is a self-hosted customer-record system for contact centres
// in which a stolen login alone opens nothing.
//
// Exit codes, the same for every subcommand:
//
//	0  done
//	1  a fault: the message says what to do
//	2  usage, or input that was not accepted
//	3  verification found a difference
//	4  refused by a rule of Purser
//
// Every subcommand is one file of this package: flags in, text and exit code
// out. The work is done in internal/server and the packages below it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"purser"
)

// Version is the program's version, set by the release build.
var version = "0.1.0-dev"

// The exit codes.
const (
	exitDone       = 0
	exitFault      = 1
	exitUsage      = 2
	exitDifference = 3
	exitRefused    = 4
)

// streams are where a subcommand reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// coded is an error with an exit code of its own.
type coded struct {
	code int
	err  error
}

func (c coded) Error() string { return c.err.Error() }
func (c coded) Unwrap() error { return c.err }

// usage marks err as bad input.
func usage(err error) error { return coded{exitUsage, err} }

type cli struct {
	Demo     demoCmd     `cmd:"" help:"Play a made-up airline's day, live in the terminal."`
	Init     initCmd     `cmd:"" help:"Make a new deployment and open its bootstrap door."`
	Serve    serveCmd    `cmd:"" help:"Serve the API."`
	Door     doorCmd     `cmd:"" help:"Add vendors, people, passkeys and sources while the bootstrap door is open."`
	Seal     sealCmd     `cmd:"" help:"Close the bootstrap door for good."`
	Import   importCmd   `cmd:"" help:"Bring customers in from CSV."`
	Lock     lockCmd     `cmd:"" help:"Stop a session, person, team, vendor, source or everybody."`
	Export   exportCmd   `cmd:"" help:"Write the ledger, customers of a mandate, or an access report out."`
	Attest   attestCmd   `cmd:"" help:"State, signed, what is held."`
	Keys     keysCmd     `cmd:"" help:"Exchange the keys under which everything is sealed."`
	Backup   backupCmd   `cmd:"" help:"Copy the database beside a running server, the wrapped keys apart."`
	Restore  restoreCmd  `cmd:"" help:"Make a deployment of a backup and the ledger that went on after it."`
	Verify   verifyCmd   `cmd:"" help:"Check an exported ledger."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
	Generate generateCmd `cmd:"" help:"Write a made-up airline's customers as CSV."`
	Bench    benchCmd    `cmd:"" help:"Measure the targets, each against its reference in the same run."`
}

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run executes one command line and returns its exit code.
func run(args []string, s streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("purser"),
		kong.Description("Customer records that open only for a verified caller."),
		kong.UsageOnError(),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(s.err, "purser:", err)
		return exitFault
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help was printed
	}
	if err != nil {
		fmt.Fprintf(s.err, "purser: %v\nRun 'purser --help' for the commands.\n", err)
		return exitUsage
	}
	return report(command.Run(), s.err)
}

// report prints err, if any, and returns the exit code for it.
func report(err error, w io.Writer) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(w, "purser:", err)
	var c coded
	if errors.As(err, &c) {
		return c.code
	}
	var refusal *purser.Refusal
	if errors.As(err, &refusal) {
		return exitRefused
	}
	return exitFault
}
