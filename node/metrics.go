package node

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/proto/method"
)

// metrics exports the running totals of the parts; they are read when a scrape
// comes, and cost nothing before.
type metrics struct{ *prometheus.Registry }

// metricsHandler answers scrapes.
func (n *Node) metricsHandler() http.Handler {
	m := metrics{prometheus.NewRegistry()}
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("parley_connections", "Open client sockets.", func() float64 { return float64(n.sockets.Connections()) })
	m.gauge("parley_sockets_waiting_bytes", "Bytes that clients have not taken yet.", func() float64 { return float64(n.sockets.Waiting()) })
	m.counter("parley_sockets_cut_total", "Sockets that were cut because clients left too many bytes waiting.", func() float64 { return float64(n.sockets.Cut()) })
	m.gauge("parley_requests_waiting", "Clients' requests that await their answer.", func() float64 { return float64(n.admission.Waiting()) })
	m.counter("parley_requests_refused_total", "Clients' requests that were refused because too many waited, or their user asked too often.", func() float64 { return float64(n.admission.Refused()) })
	for _, row := range method.All() {
		m.ofMethod(row, n.meter.Of(row))
	}
	m.gauge("parley_actors", "Activations of sessions, conversations and shards.", func() float64 { return float64(n.directory.Live()) })
	m.counter("parley_actor_panics_total", "Panics in actors' handlers.", func() float64 { return float64(n.directory.Panics()) })
	m.gauge("parley_cluster_nodes", "Live nodes of the cluster, this one included.", func() float64 { return float64(len(n.control.Members())) })
	m.gauge("parley_cluster_shards_served", "Shards whose leader this node reaches.", func() float64 { return float64(n.directory.Served()) })
	m.gauge("parley_cluster_shards_without_leader", "Shards whose leader this node does not reach.", func() float64 { return float64(n.o.Shards - n.directory.Served()) })
	m.gauge("parley_cluster_version", "The version that the nodes agreed on.", func() float64 { return float64(n.version()) })
	m.counter("parley_cluster_messages_unknown_total", "Messages of nodes of other releases that this one did not understand.", func() float64 { return float64(n.directory.Foreign()) })
	m.gauge("parley_cluster_requests_parked", "Requests that wait for a leader.", func() float64 { return float64(n.directory.Parked()) })
	m.gauge("parley_clock_offset_seconds", "How far this node's clock is ahead of the middle of all nodes' clocks; 0 with fewer than three.", func() float64 { return n.clock.Verdict().Offset.Seconds() })
	m.gauge("parley_clock_wrong", "1 while this node leads nothing because of its clock.", func() float64 {
		if n.clock.Verdict().MayLead() {
			return 0
		}
		return 1
	})
	m.gauge("parley_replication_leading", "Shards that this node leads.", n.stat(func(s replication.Stats) float64 { return float64(s.Leading) }))
	m.gauge("parley_replication_queued_bytes", "Bytes of proposals that are not answered.", n.stat(func(s replication.Stats) float64 { return float64(s.QueuedBytes) }))
	m.counter("parley_replication_rounds_total", "Commits to the store.", n.stat(func(s replication.Stats) float64 { return float64(s.Rounds) }))
	m.counter("parley_replication_synced_rounds_total", "Commits that waited for the disk.", n.stat(func(s replication.Stats) float64 { return float64(s.Synced) }))
	m.counter("parley_replication_proposals_total", "Proposals taken.", n.stat(func(s replication.Stats) float64 { return float64(s.Proposals) }))
	m.counter("parley_replication_commit_seconds_total", "Time spent in commits.", n.stat(func(s replication.Stats) float64 { return s.Commit.Seconds() }))
	return promhttp.HandlerFor(m, promhttp.HandlerOpts{})
}

func (n *Node) stat(pick func(replication.Stats) float64) func() float64 {
	return func() float64 { return pick(n.host.Stats()) }
}

// ofMethod exports what was asked of one method.
func (m metrics) ofMethod(row *method.Method, c *ask.Count) {
	add := func(name, help string, value func() float64) {
		m.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{"method": row.Path}}, value))
	}
	add("parley_requests_total", "Clients' requests that were answered, by refusals too.", func() float64 { return float64(c.Answered.Load()) })
	add("parley_requests_failed_total", "Clients' requests that an actor refused or did not answer in time.", func() float64 { return float64(c.Refused.Load()) })
	add("parley_request_seconds_total", "Time until the answers, together.", func() float64 { return time.Duration(c.Nanoseconds.Load()).Seconds() })
}

func (m metrics) gauge(name, help string, value func() float64) {
	m.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

func (m metrics) counter(name, help string, value func() float64) {
	m.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
}
