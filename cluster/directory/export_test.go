package directory

import "time"

// Age has a directory that is not started have begun earlier.
func (d *Directory) Age(by time.Duration) { d.begun = d.begun.Add(-by) }
