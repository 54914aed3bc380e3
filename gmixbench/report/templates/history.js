"use strict";
(() => {
  const plots = [...document.querySelectorAll(".plot")];
  // A finger must be able to scroll past the chart.
  const coarse = matchMedia("(pointer: coarse)").matches;
  const config = { responsive: true, displaylogo: false, displayModeBar: false };
  for (const plot of plots) {
    const figure = JSON.parse(document.getElementById(plot.id + "-figure").textContent);
    figure.layout.dragmode = coarse ? false : "zoom";
    if (plot.clientWidth < 560) {
      figure.layout.margin.l = 46;
      figure.layout.margin.r = 6;
    }
    Plotly.newPlot(plot, figure.data, figure.layout, config);
  }
  const boxes = [...document.querySelectorAll(".keys input")];
  const show = () => {
    const off = boxes.filter((box) => !box.checked);
    for (const plot of plots) {
      const visible = plot.data.map((trace) =>
        off.every((box) => trace.meta[box.dataset.key] !== box.value));
      Plotly.restyle(plot, { visible });
    }
  };
  for (const box of boxes) box.addEventListener("change", show);
})();
