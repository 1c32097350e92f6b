package sim

import (
	"fmt"
	"io"
	"math/bits"
	"time"

	pb "go.etcd.io/raft/v3/raftpb"
)

// kind is what an event of the trace is.
type kind uint8

const (
	evStart kind = iota
	evCrash
	evTrap
	evPause
	evResume
	evPartition
	evLinkDown
	evSend
	evDrop
	evReceive
	evRound
	evStep
	evDiskError
	evApplied
	evGained
	evLost
	evCall
	evAnswer
	evRead
	evSnapshot
	evInstall
	evDestroy
	evChange
	evTransfer
	evClock
	evHeal
	evWipe
	evRestore
	evRefused
	evWithhold
)

// kinds name the events and their numbers.
var kinds = [...]struct {
	name   string
	labels [6]string
}{
	evStart:     {"start", [6]string{"replicas"}},
	evCrash:     {"crash", [6]string{"unsynced", "kept"}},
	evTrap:      {"will crash", [6]string{"at"}},
	evPause:     {"pause", [6]string{"us"}},
	evResume:    {"resume", [6]string{}},
	evPartition: {"partition", [6]string{"side", "oneway", "us"}},
	evLinkDown:  {"link down", [6]string{"to"}},
	evSend:      {"send", [6]string{"to", "shard", "type", "term", "index", "replica"}},
	evDrop:      {"drop", [6]string{"to", "shard", "type", "term", "index", "replica"}},
	evReceive:   {"receive", [6]string{"from", "shard", "type", "term", "index", "replica"}},
	evRound:     {"round", [6]string{"worker", "sync", "us", "steps"}},
	evStep:      {"step", [6]string{"worker", "step"}},
	evDiskError: {"disk error", [6]string{"worker", "written"}},
	evApplied:   {"applied", [6]string{"shard", "index", "term"}},
	evGained:    {"gained", [6]string{"shard", "term"}},
	evLost:      {"lost", [6]string{"shard", "term"}},
	evCall:      {"call", [6]string{"op", "shard", "term", "attempt"}},
	evAnswer:    {"answer", [6]string{"op", "shard", "code", "seq", "reply"}},
	evRead:      {"read", [6]string{"op", "shard", "seq"}},
	evSnapshot:  {"snapshot", [6]string{"to", "shard", "index", "ok"}},
	evInstall:   {"install", [6]string{"shard", "index"}},
	evDestroy:   {"destroy", [6]string{"shard", "replica"}},
	evChange:    {"change", [6]string{"shard", "learner", "promote", "remove", "code"}},
	evTransfer:  {"transfer", [6]string{"shard", "to"}},
	evClock:     {"clock step", [6]string{"ms"}},
	evHeal:      {"heal", [6]string{}},
	evWipe:      {"wiped", [6]string{"new"}},
	evRestore:   {"restored", [6]string{"known by"}},
	evRefused:   {"refused", [6]string{"by"}},
	evWithhold:  {"withhold", [6]string{"on"}},
}

type event struct {
	at   time.Duration
	kind kind
	node int
	args [6]uint64
}

// tailLength is how many events a violation shows.
const tailLength = 400

// trace hashes all events and remembers the last ones.
type trace struct {
	out   io.Writer
	now   *time.Duration
	hash  uint64
	count uint64
	ring  [tailLength]event
}

func (t *trace) add(k kind, node int, args ...uint64) {
	e := event{at: *t.now, kind: k, node: node}
	copy(e.args[:], args)
	t.mix(uint64(e.at))
	t.mix(uint64(k)<<32 | uint64(node))
	for _, a := range e.args {
		t.mix(a)
	}
	t.ring[t.count%tailLength] = e
	t.count++
	if t.out != nil {
		_, _ = fmt.Fprintln(t.out, e)
	}
}

// mix folds a number into the hash; the constant is that of splitmix64.
func (t *trace) mix(v uint64) {
	t.hash = bits.RotateLeft64(t.hash^v, 23) * 0x9e3779b97f4a7c15
}

func (t *trace) tail() []string {
	var out []string
	for i := t.count - min(t.count, tailLength); i < t.count; i++ {
		out = append(out, t.ring[i%tailLength].String())
	}
	return out
}

// String is the event's line.
func (e event) String() string {
	k := kinds[e.kind]
	out := fmt.Sprintf("%11.6f ", e.at.Seconds())
	if e.node > 0 {
		out += fmt.Sprintf("n%d ", e.node)
	}
	out += k.name
	for i, label := range k.labels {
		switch label {
		case "":
		case "type":
			out += " " + typeName(e.args[i])
		case "ms":
			out += fmt.Sprintf(" %s=%d", label, int64(e.args[i]))
		default:
			out += fmt.Sprintf(" %s=%d", label, e.args[i])
		}
	}
	return out
}

// typeName tells the messages that are not Raft's by numbers above Raft's.
func typeName(t uint64) string {
	switch t {
	case typeAsk:
		return "Ask"
	case typeDestroy:
		return "Destroy"
	}
	return pb.MessageType(t).String()
}

const (
	typeDestroy = 1000
	typeAsk     = 1001
)

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
