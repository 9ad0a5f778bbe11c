// Package chart draws the results.
package chart

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/nlwire/nlwire/bench/report"
)

// Name is the file name without its extension.
const Name = "rivals"

// The picture is as wide as the text of a README on GitHub: 830 pixels at 96 per inch.
const (
	width  = 830 * vg.Inch / 96
	height = 520 * vg.Inch / 96
	gap    = 12 * vg.Inch / 96
	dpi    = 192 // of the PNG, for high-resolution screens
)

var (
	ours   = color.RGBA{0x1f, 0x6f, 0xb4, 0xff}
	theirs = color.RGBA{0xb9, 0xc2, 0xcc, 0xff}
	bare   = color.RGBA{0x8a, 0x93, 0x9c, 0xff} // C without a library
	ink    = color.RGBA{0x24, 0x29, 0x2f, 0xff}
)

// Draw writes the charts to a directory, as SVG and PNG.
func Draw(dir string, rows []report.Row) error {
	svg := vgsvg.New(width, height)
	if err := panels(draw.New(svg), rows); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, Name+".svg"), svg); err != nil {
		return err
	}
	img := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	if err := panels(draw.New(img), rows); err != nil {
		return err
	}
	return write(filepath.Join(dir, Name+".png"), vgimg.PngCanvas{Canvas: img})
}

func write(path string, c vg.CanvasWriterTo) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := c.WriteTo(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// panels draws a chart for each of report.Panels and one for report.Curves, in two columns.
func panels(c draw.Canvas, rows []report.Row) error {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	var charts []*plot.Plot
	for _, p := range report.Panels(rows) {
		chart, err := bars(p)
		if err != nil {
			return err
		}
		charts = append(charts, chart)
	}
	if curves := report.Curves(rows); len(curves) > 0 {
		chart, err := latency(curves)
		if err != nil {
			return err
		}
		charts = append(charts, chart)
	}
	across, down := 2, (len(charts)+1)/2
	for i, chart := range charts {
		x, y := i%across, i/across
		w, h := c.Max.X/vg.Length(across), c.Max.Y/vg.Length(down)
		chart.Draw(draw.Crop(c, vg.Length(x)*w+gap, -vg.Length(across-1-x)*w-gap,
			vg.Length(down-1-y)*h+gap, -vg.Length(y)*h-gap/2))
	}
	return nil
}

// bars draws a panel: a bar for each column, the shortest on top.
func bars(p report.Panel) (*plot.Plot, error) {
	c := titled(p.Title)
	c.HideX()
	c.X.Min, c.X.Max = 0, 1.18*p.Bars[len(p.Bars)-1].Value // space for the number
	var names []string
	labels := plotter.XYLabels{}
	for i := range p.Bars {
		b := p.Bars[len(p.Bars)-1-i] // the axis points up
		bar, err := plotter.NewBarChart(plotter.Values{b.Value}, vg.Points(11))
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin, bar.LineStyle.Width = true, float64(i), 0
		bar.Color = fill(b.Column)
		c.Add(bar)
		names = append(names, b.Column)
		labels.XYs = append(labels.XYs, plotter.XY{X: b.Value, Y: float64(i)})
		labels.Labels = append(labels.Labels, fmt.Sprintf(" %s", report.Number(b.Value)))
	}
	numbers, err := plotter.NewLabels(labels)
	if err != nil {
		return nil, err
	}
	for i := range numbers.TextStyle {
		numbers.TextStyle[i] = text.Style{Color: ink, Font: face(9, false), YAlign: draw.YCenter, Handler: plot.DefaultTextHandler}
	}
	c.Add(numbers)
	c.NominalY(names...)
	c.Y.Tick.Label.Font, c.Y.Tick.Label.Color = face(9, false), ink
	c.Y.Tick.Length, c.Y.LineStyle.Color = 0, theirs
	return c, nil
}

func titled(text string) *plot.Plot {
	c := plot.New()
	c.Title.Text, c.Title.Padding = text, vg.Points(4)
	c.Title.TextStyle.Font = face(11, true)
	c.Title.TextStyle.Color = ink
	return c
}

// latency draws a line for each column. Both axes are logarithmic.
func latency(curves []report.Curve) (*plot.Plot, error) {
	c := titled("p99 of a request by goroutines, µs")
	c.X.Scale, c.Y.Scale = plot.LogScale{}, plot.LogScale{}
	c.X.Tick.Marker, c.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	c.X.Tick.Label.Font, c.Y.Tick.Label.Font = face(9, false), face(9, false)
	c.Legend.TextStyle.Font, c.Legend.Top, c.Legend.Left = face(9, false), true, true
	for i, curve := range curves {
		var points plotter.XYs
		for j, x := range curve.Goroutines {
			points = append(points, plotter.XY{X: x, Y: curve.Micros[j]})
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, marks.Color = lineColors[i%len(lineColors)], lineColors[i%len(lineColors)]
		line.Width = vg.Points(1.5)
		c.Add(line, marks)
		c.Legend.Add(curve.Column, line, marks)
	}
	c.Y.Max *= 50 // space for the legend
	return c, nil
}

var lineColors = []color.Color{ours, bare, color.RGBA{0xd9, 0x8e, 0x2b, 0xff}, color.RGBA{0x9c, 0x4f, 0x96, 0xff}}

func face(points float64, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(points)}
	if bold {
		f.Weight = 2
	}
	return f
}

func fill(column string) color.Color {
	switch column {
	case "nlwire", "nlwire, socket":
		return ours
	case "C", "C, predicted":
		return bare
	}
	return theirs
}
