import { join } from 'node:path'
import { benchPackages } from './packages.js'

/** One bar of a picture: a value, and how far a quarter and three quarters of the sample go. */
export interface Bar {
  name: string
  value: number
  quartiles?: [number, number]
}

interface Chart {
  setOption(option: object): void
  renderToSVGString(): string
  dispose(): void
}

/** An SVG of horizontal bars, the first on top. `unit` is written below the axis. */
export function barPicture(title: string, unit: string, bars: Bar[]): string {
  const { init } = require(join(benchPackages(), 'node_modules/echarts')) as {
    init: (element: null, theme: null, options: object) => Chart
  }
  const height = 90 + bars.length * 34
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 760, height })
  const rounded = (value: number): number => Number(value.toPrecision(3))
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
    grid: { left: 8, right: 70, top: 40, bottom: 30, containLabel: true },
    xAxis: { type: 'value', name: unit, nameLocation: 'middle', nameGap: 26 },
    yAxis: { type: 'category', inverse: true, data: bars.map(({ name }) => name) },
    series: [
      {
        type: 'bar',
        data: bars.map(({ name, value }) => ({ value: rounded(value), itemStyle: { color: name.startsWith('fastapi-health') ? '#2f7d4f' : '#8a97a8' } })),
        label: { show: true, position: 'right' }
      },
      {
        type: 'custom',
        data: bars.flatMap(({ quartiles }, index) => (quartiles === undefined ? [] : [[...quartiles, index]])),
        // A line from quartile to quartile over each bar.
        renderItem: (_: unknown, api: { value: (index: number) => number; coord: (point: number[]) => number[] }) => {
          const [x1, y] = api.coord([api.value(0), api.value(2)])
          const [x2] = api.coord([api.value(1), api.value(2)])
          return { type: 'line', shape: { x1, y1: y, x2, y2: y }, style: { stroke: '#222', lineWidth: 2 } }
        }
      }
    ]
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}
