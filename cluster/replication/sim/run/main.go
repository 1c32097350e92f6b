// Command run simulates the replication core under many seeds: see package sim.
// It uses a process for each CPU. The exit status is 1 after a violation.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-im/parley/cluster/replication/sim"
)

// part marks the line on which a child process hands over its summary.
const part = "part "

func main() {
	first := flag.Uint64("first", 1, "first seed")
	seeds := flag.Uint64("seeds", 1000, "how many seeds")
	verbose := flag.Bool("v", false, "print every event of every run")
	procs := flag.Int("procs", runtime.GOMAXPROCS(0), "processes")
	child := flag.Bool("child", false, "run alone, every procs-th seed (internal)")
	reshape := flag.Bool("reshape", false, "move replicas by targets, not by single changes")
	restore := flag.Bool("restore", false, "put disks back from earlier copies")
	flag.Parse()
	debug.SetGCPercent(800) // a run lives in few megabytes and makes much garbage

	var sum sim.Summary
	switch o := (sim.Options{Reshape: *reshape, Restore: *restore}); {
	case *verbose:
		o.Trace = os.Stdout
		sum = sim.Seeds(os.Stdout, *first, *seeds, 1, o)
	case *child:
		sum = sim.Seeds(os.Stdout, *first, *seeds, uint64(*procs), o)
		data, _ := json.Marshal(sum)
		fmt.Println(part + string(data))
		return
	default:
		sum = fork(*first, *seeds, max(1, *procs), "-reshape="+strconv.FormatBool(*reshape), "-restore="+strconv.FormatBool(*restore))
	}
	fmt.Printf("%+v\n%v\n", sum.Stats, sum)
	if sum.Violations > 0 || sum.Seeds != int(*seeds) {
		os.Exit(1)
	}
}

// fork runs the seeds in child processes: a run replaces what is global.
func fork(first, seeds uint64, procs int, options ...string) (sum sim.Summary) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range min(uint64(procs), seeds) {
		cmd := exec.Command(os.Args[0], append(options[:len(options):len(options)], "-child", "-procs", fmt.Sprint(procs), "-first", fmt.Sprint(first+i), "-seeds", fmt.Sprint(seeds-i))...)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		all.Go(func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				mu.Lock()
				var s sim.Summary
				if data, ok := strings.CutPrefix(lines.Text(), part); ok && json.Unmarshal([]byte(data), &s) == nil {
					sum.Add(s)
				} else {
					fmt.Println(lines.Text())
				}
				mu.Unlock()
			}
			_ = cmd.Wait()
		})
	}
	all.Wait()
	return sum
}
