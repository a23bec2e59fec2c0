package server

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the numbers of one serving deployment, in a registry of its own.
// No label names a person, a session or a customer, and none holds text that
// came from outside (L6).
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
}

func newMetrics(d *Deployment) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "purser_requests_total", Help: "Requests answered, by route pattern and status.",
		}, []string{"route", "status"}),
	}
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("purser_ledger_entries", "Entries in the ledger.", func() float64 { return float64(d.log.Size()) })
	gauge("purser_ledger_checkpoint_entries", "Entries that the latest signed checkpoint covers.",
		func() float64 { return float64(d.Status().Checkpoint) })
	gauge("purser_ledger_stopped", "1 when the ledger cannot be written and nothing is disclosed.",
		func() float64 {
			if d.log.Err() != nil {
				return 1
			}
			return 0
		})
	m.registry.MustRegister(m.requests, prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "purser_ledger_trouble_total", Help: "Snapshots since the start that did not hold, were lost, or could not be made; the log says which.",
	}, func() float64 { return float64(d.troubles.Load()) }))
	return m
}

// count wraps the API. The mux below it sets the pattern of the request.
func (m *metrics) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := &statusRecorder{ResponseWriter: rw, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		m.requests.WithLabelValues(r.Pattern, strconv.Itoa(rec.status)).Inc()
	})
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap gives the writer below to http.ResponseController.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
