package bench

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is a sweep: one point for each load.
type Report struct {
	URL      string   `json:"url"`
	Protocol Protocol `json:"protocol"`
	Model    string   `json:"model"`
	Points   []Point  `json:"points"`
}

// load returns the load of a point: "8" callers, or "100/s".
func (p Point) load() string {
	if p.Concurrency > 0 {
		return strconv.Itoa(p.Concurrency)
	}
	return strconv.FormatFloat(p.Rate, 'f', -1, 64) + "/s"
}

// failures returns the statuses with their counts, in order.
func (p Point) failures() string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(p.Failures)) {
		all = append(all, fmt.Sprintf("%s: %d", status, p.Failures[status].Count))
	}
	if p.Unsent > 0 {
		all = append(all, fmt.Sprintf("not sent: %d", p.Unsent))
	}
	return strings.Join(all, ", ")
}

// WriteTable writes a line for each point, and below them the error of the first failure
// of each status.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "load\tresponses/s\tmean\tp50\tp90\tp99\tp99.9\tmax\tfailures\t")
	for _, p := range r.Points {
		l := p.Latency
		fmt.Fprintf(t, "%s\t%.1f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", p.load(), p.Throughput,
			threeDigits(l.Mean), threeDigits(l.P50), threeDigits(l.P90), threeDigits(l.P99), threeDigits(l.P999), threeDigits(l.Max), p.failures())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, note := range r.notes() {
		if _, err := fmt.Fprintln(w, note); err != nil {
			return err
		}
	}
	return nil
}

// maxLag is the lag from which on the generator, not the server, sets the pace of an open loop.
const maxLag = 0.005

func (r *Report) notes() []string {
	var all []string
	seen := map[string]bool{}
	for _, p := range r.Points {
		for _, status := range slices.Sorted(maps.Keys(p.Failures)) {
			if !seen[status] {
				all = append(all, status+": "+p.Failures[status].Example)
			}
			seen[status] = true
		}
		if p.Lag > maxLag && p.Unsent == 0 {
			all = append(all, fmt.Sprintf("at %s the generator itself sent late, by %s at p99: give it more of the machine",
				p.load(), threeDigits(p.Lag)))
		}
	}
	return all
}

// threeDigits formats seconds with three digits: 1.23ms.
func threeDigits(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	for unit := time.Duration(1); unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit).String()
		}
	}
	return d.Round(time.Second).String()
}

// WriteJSON writes the whole report.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

var columns = []string{"protocol", "model", "concurrency", "rate", "seconds", "asked", "answered", "throughput",
	"mean", "p50", "p90", "p99", "p99.9", "max", "failures"}

// WriteCSV writes a line for each point under a header; durations are in seconds.
func (r *Report) WriteCSV(w io.Writer) error {
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
	c := csv.NewWriter(w)
	lines := [][]string{columns}
	for _, p := range r.Points {
		l := p.Latency
		lines = append(lines, []string{
			string(r.Protocol), r.Model, strconv.Itoa(p.Concurrency), number(p.Rate), number(p.Seconds),
			strconv.FormatUint(p.Requests, 10), strconv.FormatUint(p.Responses, 10), number(p.Throughput),
			number(l.Mean), number(l.P50), number(l.P90), number(l.P99), number(l.P999), number(l.Max), p.failures(),
		})
	}
	return c.WriteAll(lines)
}
