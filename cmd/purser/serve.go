package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"purser/internal/server"
)

type serveCmd struct {
	dataFlag
	Listen string `help:"Where to listen, instead of the configuration's address."`
}

// Help is printed below the flags.
func (serveCmd) Help() string {
	return `Serves the API on the configured address, for a TLS proxy in front of it, and the operator's door on
DATA/purser.sock. Creates nothing: see purser init. Logs one JSON event a line to standard error. Ends on SIGTERM.`
}

func (c serveCmd) Run(ctx context.Context, s streams) (err error) {
	log := logger(s)
	d, conf, err := c.open(ctx, s, log, labelRefused)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if warning := d.Keys.Warning(); warning != "" {
		log.Warn(warning)
	}
	address := conf.Listen
	if c.Listen != "" {
		address = c.Listen
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return usage(fmt.Errorf("listen: %w; choose another address with --listen or in purser.yaml", err))
	}
	served, err := server.Serve(ctx, d, l)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	log.Info("serving", "address", served.Address(), "origin", conf.Origin, "verifier_key", d.Verifier())
	select {
	case <-ctx.Done():
	case err = <-served.Failed():
	}
	return errors.Join(err, served.Shutdown(context.WithoutCancel(ctx)))
}
