package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"
)

// Jitter says how packets between nodes are treated.
type Jitter struct {
	Least, Most time.Duration // of the delay of each, drawn evenly
	Twice       float64       // the share that comes twice
}

// Delay is a node whose packets to and from others are late, out of order and at
// times doubled, until Heal. The node's namespace queues them, and this process
// lets each go when its time has come.
type Delay struct {
	jitter Jitter
	cut    *Cut // queues packets
	double *Cut
	queue  *queue
	reader chan struct{}

	waiting sync.WaitGroup // timers

	mu     sync.Mutex
	rng    *rand.Rand
	seen   Delayed
	latest int64 // the highest place, in the order of arrival, that was released
}

// Delayed counts packets.
type Delayed struct {
	Held      int // each for Least to Most
	Overtaken int // released after one that came later
	Twice     int
	Longest   time.Duration
}

// theQueue is the number of the queue in a namespace; there is one at most.
const theQueue = 1

// canDelay says whether this machine's kernel has packet queues.
func canDelay() bool {
	_, err := os.Stat("/proc/net/netfilter/nfnetlink_queue")
	return err == nil
}

// Delay makes a Delay of a node; seed draws its chances. A node has one at most.
func (f *Fleet) Delay(n *Node, others []*Node, j Jitter, seed uint64) (*Delay, error) {
	cut, err := f.newCut()
	if err != nil {
		return nil, err
	}
	double, err := f.newCut()
	if err != nil {
		return nil, err
	}
	q, err := openQueue(n.space, theQueue)
	if err != nil {
		return nil, err
	}
	d := &Delay{jitter: j, cut: cut, double: double, queue: q, reader: make(chan struct{}), rng: rand.New(rand.NewPCG(seed, 1))}
	go d.run()
	// What nobody takes from the queue passes by.
	wait := []string{"-j", "NFQUEUE", "--queue-num", strconv.Itoa(theQueue), "--queue-bypass"}
	twice := func(at, to *Node) rule {
		return rule{at.space, "mangle", "OUTPUT", []string{
			"-d", to.host, "-m", "statistic", "--mode", "random", "--probability", strconv.FormatFloat(j.Twice, 'f', 4, 64), "-j", "TEE", "--gateway", to.host,
		}}
	}
	one := []*Node{n}
	// Doubled first: after the queue a packet goes on to the next table, not to the
	// rest of this one.
	err = errors.Join(
		double.between(one, others, twice),
		double.between(others, one, twice),
		cut.between(one, others, func(at, to *Node) rule {
			return rule{at.space, "mangle", "OUTPUT", append([]string{"-d", to.host}, wait...)}
		}),
		cut.between(one, others, func(at, from *Node) rule {
			return rule{at.space, "mangle", "INPUT", append([]string{"-s", from.host}, wait...)}
		}),
	)
	if err != nil {
		return nil, errors.Join(err, d.Heal())
	}
	return d, nil
}

// run takes packets in and has each released by a timer.
func (d *Delay) run() {
	defer close(d.reader)
	var place int64
	for d.queue.read(func(packet uint32) {
		place++
		d.hold(packet, place)
	}) {
	}
}

func (d *Delay) hold(packet uint32, place int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	late := d.jitter.Least + time.Duration(d.rng.Int64N(int64(d.jitter.Most-d.jitter.Least)+1))
	d.seen.Held++
	d.waiting.Add(1)
	begun := time.Now()
	time.AfterFunc(late, func() {
		defer d.waiting.Done()
		d.mu.Lock()
		if d.latest > place {
			d.seen.Overtaken++
		}
		d.latest = max(d.latest, place)
		d.seen.Longest = max(d.seen.Longest, time.Since(begun))
		d.mu.Unlock()
		_ = d.queue.release(theQueue, packet) // fails when the packet is gone: the queue was full or is closed
	})
}

// Delayed counts what was done so far.
func (d *Delay) Delayed() (Delayed, error) {
	twice, err := d.double.Packets()
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := d.seen
	seen.Twice = twice
	return seen, err
}

// Heal ends the delay, and blocks until all that waits is released.
func (d *Delay) Heal() error {
	err := errors.Join(d.double.Heal(), d.cut.Heal())
	time.Sleep(d.jitter.Most) // what the reader has not seen by then is lost, as packets may be
	err = errors.Join(err, d.queue.close())
	<-d.reader
	d.waiting.Wait()
	return err
}

// String is for the records.
func (d Delayed) String() string {
	return fmt.Sprintf("%d packets were held, for %v at most, %d overtaken by later ones, %d sent twice", d.Held, d.Longest.Round(time.Millisecond), d.Overtaken, d.Twice)
}
