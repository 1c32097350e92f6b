package load

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// ReadResult reads a file that a run has written.
func ReadResult(name string) (r Result, err error) {
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the result %s: %w", name, err)
	}
	return r, nil
}

// Compare prints two results side by side, with the ratio of the second to the
// first. It says so when they are not of the same plan, or of a machine that was
// not the same at the time.
func Compare(w io.Writer, a, b Result) {
	if a.Plan.Scenario != b.Plan.Scenario || a.Plan.Users != b.Plan.Users || a.Plan.Rate != b.Plan.Rate || a.Plan.Closed != b.Plan.Closed || a.Plan.Size != b.Plan.Size {
		fmt.Fprintf(w, "the plans differ: %+v and %+v\n", a.Plan, b.Plan)
	}
	fmt.Fprintf(w, "%-36s %12s %12s %8s\n", "", "first", "second", "ratio")
	row := func(name string, first, second float64) {
		if first == 0 && second == 0 {
			return
		}
		ratio := "-"
		if first != 0 {
			ratio = fmt.Sprintf("%.2f", second/first)
		}
		fmt.Fprintf(w, "%-36s %12.2f %12.2f %8s\n", name, first, second, ratio)
	}
	row("calibration: fsync p50, ms", a.Calibration.FsyncP50, b.Calibration.FsyncP50)
	row("calibration: echo p50, ms", a.Calibration.EchoP50, b.Calibration.EchoP50)
	row("kept by the host, % of the cores", 100*a.Machine.StolenShare(), 100*b.Machine.StolenShare())
	row("acknowledged/s", a.AckedRate, b.AckedRate)
	for _, l := range []struct {
		name string
		a, b Latency
	}{{"login", a.Login, b.Login}, {"acknowledged", a.Ack, b.Ack}, {"delivered", a.EndToEnd, b.EndToEnd}, {"page of history", a.Page, b.Page}} {
		row(l.name+" p50, ms", l.a.P50, l.b.P50)
		row(l.name+" p99, ms", l.a.P99, l.b.P99)
		row(l.name+" max, ms", l.a.Max, l.b.Max)
	}
	if a.Server != nil && b.Server != nil {
		row("server CPU-s per 100k delivered", a.Server.CPUPer100k, b.Server.CPUPer100k)
		row("server KB per idle user", a.Server.KBPerUser, b.Server.KBPerUser)
	}
	if a.Storm != nil && b.Storm != nil {
		row("storm: all back, s", a.Storm.Seconds, b.Storm.Seconds)
	}
	row("broken promises", float64(a.BrokenCount()), float64(b.BrokenCount()))
}
