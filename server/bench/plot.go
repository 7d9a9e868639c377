package bench

import (
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	blue   = color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}
	green  = color.RGBA{R: 0x2c, G: 0xa0, B: 0x2c, A: 0xff}
	orange = color.RGBA{R: 0xff, G: 0x7f, B: 0x0e, A: 0xff}
	red    = color.RGBA{R: 0xd6, G: 0x27, B: 0x28, A: 0xff}
)

// WritePlot draws throughput and latency against the load into a file of format
// "svg" or "png".
func (r *Report) WritePlot(path, format string) (err error) {
	throughput := plot.New()
	throughput.Title.Text = fmt.Sprintf("%s over %s", r.Model, r.Protocol)
	throughput.Y.Label.Text = "responses per second"
	latencies := plot.New()
	latencies.Y.Label.Text = "milliseconds"
	latencies.X.Label.Text = "concurrent callers"
	if len(r.Points) > 0 && r.Points[0].Concurrency == 0 {
		latencies.X.Label.Text = "requests per second"
	}
	latencies.Legend.Top, latencies.Legend.Left = true, true
	for _, c := range []struct {
		on    *plot.Plot
		name  string
		color color.Color
		value func(Point) float64
	}{
		{throughput, "", blue, func(p Point) float64 { return p.Throughput }},
		{latencies, "p50", blue, func(p Point) float64 { return p.Latency.P50 * 1e3 }},
		{latencies, "p90", green, func(p Point) float64 { return p.Latency.P90 * 1e3 }},
		{latencies, "p99", orange, func(p Point) float64 { return p.Latency.P99 * 1e3 }},
		{latencies, "p99.9", red, func(p Point) float64 { return p.Latency.P999 * 1e3 }},
	} {
		if err := r.curve(c.on, c.name, c.color, c.value); err != nil {
			return fmt.Errorf("plot: %w", err)
		}
	}
	return save(path, format, [][]*plot.Plot{{throughput}, {latencies}})
}

func (r *Report) curve(on *plot.Plot, name string, c color.Color, value func(Point) float64) error {
	points := make(plotter.XYs, len(r.Points))
	for i, p := range r.Points {
		points[i].X, points[i].Y = max(float64(p.Concurrency), p.Rate), value(p)
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, dots.Color, dots.Shape = c, c, draw.CircleGlyph{}
	on.Add(line, dots)
	on.Y.Min = 0
	if name != "" {
		on.Legend.Add(name, line)
	}
	return nil
}

// save draws the plots below each other, with their axes aligned.
func save(path, format string, plots [][]*plot.Plot) (err error) {
	const width, height = 16 * vg.Centimeter, 9 * vg.Centimeter
	canvas, err := draw.NewFormattedCanvas(width, height*vg.Length(len(plots)), format)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	pad := vg.Points(8)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad, PadY: pad}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		plots[i][0].Draw(row[0])
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	defer func() {
		if e := file.Close(); err == nil {
			err = e
		}
	}()
	_, err = canvas.WriteTo(file)
	return err
}
