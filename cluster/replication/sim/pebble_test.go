package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/pebble"
	"github.com/parley-im/parley/storage/pebble/crashfs"
)

// make sim-pebble sets these.
var (
	pebbleSeeds = flag.Uint64("sim.seeds", 0, "seeds to run over Pebble; 0: a few")
	pebbleFirst = flag.Uint64("sim.first", 1, "the first of them")
	pebbleTrace = flag.String("sim.trace", "", "file for the trace of the newest run over Pebble")
)

// pebbleSum is for the last line.
var pebbleSum Summary

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if *pebbleSeeds > 0 {
		fmt.Printf("%+v\n%v\n", pebbleSum.Stats, pebbleSum)
	}
	os.Exit(code)
}

// pebbleDisk is a real store on a file system that loses power. Pebble has
// goroutines of its own, so that a seed does not replay exactly.
type pebbleDisk struct {
	shards int
	node   storage.NodeID
	rng    *rand.Rand
	mem    *vfs.MemFS
	disk   *crashfs.Disk
	store  *pebble.Store // nil while the process is down
}

// Open implements Disk.
func (d *pebbleDisk) Open() (_ storage.Store, err error) {
	d.disk = crashfs.New(d.mem, crashfs.Options{Random: d.rng})
	d.store, err = pebble.Open(pebble.Options{Dir: "data", FS: d.disk, Shards: d.shards, Node: d.node})
	return d.store, err
}

// Crash implements Disk. What is not synced stays in a random part, whatever
// lose says.
func (d *pebbleDisk) Crash(lose func(unsynced int) (kept int)) {
	lose(1)
	d.mem = d.disk.Cut()
	d.close()
}

// close ends the store's goroutines; after a crash what they do is in vain.
func (d *pebbleDisk) close() {
	if d.store != nil {
		_ = d.store.Close()
		d.store = nil
	}
}

func TestSeedsHoldOverPebble(t *testing.T) {
	count := *pebbleSeeds
	if count == 0 {
		count = 20
		if testing.Short() || raceEnabled {
			count = 3
		}
	}
	sum := &pebbleSum
	for seed := *pebbleFirst; seed < *pebbleFirst+count; seed++ {
		res := runOverPebble(t, seed)
		part := Summary{Seeds: 1, Stats: res.Stats}
		if res.Violation != "" {
			part.Violations, part.FirstBad = 1, seed
			res.Report(os.Stdout, tailShown)
			t.Errorf("seed %d: %s", seed, res.Violation)
		}
		sum.Add(part)
		if sum.Seeds%200 == 0 {
			fmt.Println(*sum)
		}
	}
}

func runOverPebble(t *testing.T, seed uint64) Result {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	var disks []*pebbleDisk
	o := Options{Disk: func(shards int, node storage.NodeID) Disk {
		d := &pebbleDisk{shards: shards, node: node, rng: rng, mem: vfs.NewCrashableMem()}
		disks = append(disks, d)
		return d
	}}
	if *pebbleTrace != "" {
		f, err := os.Create(*pebbleTrace)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		o.Trace = f
	}
	res := Run(seed, o)
	for _, d := range disks {
		d.close()
	}
	return res
}
