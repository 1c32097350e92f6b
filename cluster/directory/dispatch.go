package directory

import (
	"runtime"
	"sync"
)

// dispatcher runs mailboxes on goroutines that stay: protoactor's own starts
// one for every burst of messages, and each of them grows its stack again, which
// was a tenth of a loaded node's CPU. When too many wait it falls back to that.
type dispatcher struct {
	runs chan func()
	stop chan struct{}
	done sync.WaitGroup
}

// workersPerProcessor is how many mailboxes may run at once on kept goroutines.
// Receive never blocks, so few are enough.
const workersPerProcessor = 8

// waitingMailboxes is how many may wait for one of them: a round of the
// replication host wakes as many conversations at once as it has committed.
const waitingMailboxes = 16 << 10

// mailboxRun is how many messages an actor handles before others get a turn.
const mailboxRun = 300

func newDispatcher() *dispatcher {
	workers := workersPerProcessor * runtime.GOMAXPROCS(0)
	d := &dispatcher{runs: make(chan func(), waitingMailboxes), stop: make(chan struct{})}
	d.done.Add(workers)
	for range workers {
		go func() {
			defer d.done.Done()
			for {
				select {
				case run := <-d.runs:
					run()
				case <-d.stop:
					return
				}
			}
		}()
	}
	return d
}

// Schedule implements actor.Dispatcher.
func (d *dispatcher) Schedule(run func()) {
	select {
	case d.runs <- run:
	default:
		go run()
	}
}

// Throughput implements actor.Dispatcher.
func (d *dispatcher) Throughput() int { return mailboxRun }

// close ends the goroutines; the actors have stopped, and what is still
// scheduled is not for them.
func (d *dispatcher) close() {
	close(d.stop)
	d.done.Wait()
}
