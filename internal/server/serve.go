package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/time/rate"

	"purser/internal/edge/httpapi"
	"purser/internal/edge/web"
)

// DoorName is the local socket inside the data directory, for the operator on
// the host: the bootstrap door, locks and metrics.
const DoorName = "purser.sock"

// Limits of the HTTP servers.
const (
	headerTime   = 5 * time.Second
	requestTime  = 30 * time.Second
	idleTime     = 2 * time.Minute
	headerBytes  = 16 << 10
	shutdownTime = 10 * time.Second
)

// Server is a serving deployment.
type Server struct {
	d          *Deployment
	api, local http.Server
	listener   net.Listener
	door       net.Listener
	jobs       *background
	stopJobs   context.CancelFunc
	failed     chan error
}

// Pace bounds the requests of one session; the zero Pace is the usual one.
type Pace struct {
	Rate  float64 // requests a second
	Burst int
}

// Serve starts the doors of an open deployment: the API on listener, and the
// operator's local socket in the data directory. The caller calls Shutdown,
// and closes the deployment after it.
func Serve(ctx context.Context, d *Deployment, listener net.Listener) (*Server, error) {
	return ServeAt(ctx, d, listener, Pace{})
}

// ServeAt is Serve for a measurement whose clients ask faster than people.
func ServeAt(ctx context.Context, d *Deployment, listener net.Listener, p Pace) (*Server, error) {
	door, err := listenLocal(filepath.Join(d.cfg.Data, DoorName))
	if err != nil {
		return nil, err
	}
	s := &Server{d: d, listener: listener, door: door, failed: make(chan error, 2)}
	m := newMetrics(d)
	apiHandler, local := d.handlers(m, p)
	limit(&s.api, apiHandler)
	limit(&s.local, local)
	jobs, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopJobs, s.jobs = stop, d.work(jobs)
	go s.run(&s.api, listener)
	go s.run(&s.local, door)
	return s, nil
}

// limit makes s a server of h that nobody can hold up or fill.
func limit(s *http.Server, h http.Handler) {
	s.Handler, s.MaxHeaderBytes = h, headerBytes
	s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = headerTime, requestTime, requestTime, idleTime
	// What the library says of broken connections may quote what was sent (L6).
	s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
}

// run serves until Shutdown; both ends are told to Failed.
func (s *Server) run(server *http.Server, l net.Listener) {
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	s.failed <- err
}

// Failed gives the error of a listener that stopped by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// Address returns where the API listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Shutdown stops taking requests, lets those under way finish, and ends the
// background work.
func (s *Server) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	s.stopJobs()
	err := errors.Join(s.api.Shutdown(ctx), s.local.Shutdown(ctx))
	s.jobs.running.Wait()
	return errors.Join(err, s.d.Intake.Flush(ctx))
}

// handlers puts the API and the operator's door together.
func (d *Deployment) handlers(m *metrics, p Pace) (api, local http.Handler) {
	shared := web.New(web.Config{
		Sessions: d.People, Clock: d.clock(), Log: d.cfg.Logger, Reference: d.Keys.Reference,
		SessionRate: rate.Limit(p.Rate), SessionBurst: p.Burst,
	})
	_, api = httpapi.New(httpapi.Config{
		Version: d.cfg.Software, Web: shared, People: d.People, Gate: d.Gate, Verification: d.Verification, Retention: d.Retention,
		Changes: d.Changes, Sources: d.Sources, Intake: d.Intake, Words: words{d.Records.Schema()}, Mandates: mandates{d},
		Clock:       d.clock(),
		Stopped:     func() bool { return d.Status().Stopped != nil },
		Full:        func() bool { return d.Status().Full },
		AcceptClock: d.acceptClock, Suspend: d.suspend, Random: d.cfg.Random,
	})
	door := httpapi.Door(httpapi.DoorConfig{
		Web: shared, People: d.People, Changes: d.Changes, Sources: d.Sources, Seal: d.sealAtDoor, Lock: d.Lock,
		Keeper: atDoor{d}, Metrics: m.handler(),
		Streams: map[string]http.Handler{
			"/local/exports":  streams(d, d.ExportCustomers),
			"/local/access":   streams(d, d.AccessReport),
			"/local/holdings": streams(d, d.Attest),
		},
	})
	return m.count(api), door
}

// listenLocal opens the local socket, which only the owner of the process may
// use. A socket left by a process that died is removed: the directory's lock
// proves that it is nobody's.
func listenLocal(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the old local socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the local socket (a path may have at most 107 bytes): %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the local socket: %w", err), l.Close())
	}
	return l, nil
}
