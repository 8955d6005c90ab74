/* The scenario explorer: the supply-shock model for one good, run in the page over a fixed set of draws.
   shockModel.run has the equations of rareearths/shock/engine.py without those of what the market here does not have: quota,
   duty, plans, a prohibition, a loss of China's output, running plants that answer to the price. The numbers in brackets
   are those of the equations in chapter 12. A test compares the two, month by month. */
(() => {
  "use strict";
  const FLOOR = 0.05; // months of cover below which the price does not rise
  const BRIEF = 1e-12;

  /* draws: by parameter, one value a draw. settings: pass, own and thrift in percent (thrift a year), months, reserve in
     months, lead in years; lead and thrift may be null: as drawn. base: months in all, month in which the cut begins,
     use in China over use outside. Gives price, stock and share met by month and draw, and the results by draw. */
  const run = (draws, settings, base) => {
    const { months, shock, china_use } = base;
    const count = draws.stock_cover.length;
    const grid = () => Array.from({ length: months }, () => new Float64Array(count));
    const out = { price: grid(), stock: grid(), met: grid() };
    for (const name of ["peak", "above", "lost", "below", "empty"]) out[name] = new Float64Array(count);
    const own_path = settings.own / 100;
    for (let n = 0; n < count; n += 1) {
      const of = (name) => draws[name][n];
      const [beta, cover, cover_c] = [of("price_stock_exponent"), of("stock_cover"), of("china_stock_cover")];
      const [leak_cap, leak_cost] = [of("leakage_cap"), of("leakage_cost")];
      const [eps_s, eps_l, horizon] = [of("short_run_demand_elasticity"), of("long_run_demand_elasticity"), of("demand_horizon")];
      const [theta, kept] = [of("redesign_price_ratio"), of("saving_kept_share")];
      const sigma = settings.thrift === null ? of("intensity_cut_ceiling") : settings.thrift / 100 / 12;
      const [phi, psi, alpha] = [of("panic_cover_increase"), of("panic_speed"), of("restocking_speed")];
      const lead = settings.lead === null ? of("lead_time_new_mine") : settings.lead * 12;
      const [rho, ramp] = [of("plan_yield"), of("ramp_time") / 3];
      const [invest, hurdle, really] = [of("outside_supply_growth"), of("investment_hurdle"), of("pass_rate_scale")];
      let [stock_o, stock_c, held] = [cover, cover_c * china_use, settings.reserve];
      let [price_o, price_c, mean_o, mean_c, expected] = [1, 1, 1, 1, 1];
      let [intensity_o, intensity_c, saved_o, saved_c, panic] = [1, 1, 0, 0, 0];
      let [first, second, third, built, running] = [0, 0, 0, 0, 0];
      let [peak, above, lost, below, empty] = [1, 0, 0, 0, -1];
      for (let t = 0; t < months; t += 1) {
        const use_o = intensity_o * price_o ** eps_s * mean_o ** (eps_l - eps_s); // (1)
        const use_c = china_use * intensity_c * price_c ** eps_s * mean_c ** (eps_l - eps_s);
        const own = own_path + running;
        const normal = Math.max(0, 1 - own);
        const aim = cover * (1 + phi * panic) * intensity_o * price_c ** (-1 / beta); // (5)
        const need = Math.max(0, use_o - own + alpha * (aim - stock_o));
        const gap = price_o / price_c - 1 - leak_cost;
        let leaked = Math.min(need, leak_cap * normal * Math.min(1, Math.max(0, gap)));
        const wanted = need - leaked;
        const free = t >= shock && t < shock + settings.months ? settings.pass / 100 : 1; // (6)
        const limit = free < 1 ? Math.max(0, 1 - really * (1 - free)) * normal : Infinity;
        let flow = Math.min(wanted, limit);
        const bound = flow < wanted * (1 - 1e-9);
        const made = china_use + 1 - own_path; // (3)
        const total = use_c + flow + leaked; // (7)
        let met_c = use_c;
        if (total > stock_c + made) {
          const ration = (stock_c + made) / total;
          [met_c, flow, leaked] = [met_c * ration, flow * ration, leaked * ration];
        }
        stock_c = Math.max(0, stock_c + made - met_c - flow - leaked);
        const released = bound ? Math.min(held, Math.max(0, use_o - own - flow - leaked)) : 0;
        held -= released;
        const at_hand = stock_o + own + flow + leaked + released;
        const met_o = Math.min(use_o, at_hand);
        stock_o = Math.max(0, at_hand - met_o);
        panic = bound ? 1 : panic - psi * panic; // (8)
        const aim_cover = cover * (1 + phi * panic);
        price_o = (Math.max(FLOOR, stock_o / Math.max(BRIEF, intensity_o)) / aim_cover) ** -beta; // (9)
        price_c = (Math.max(FLOOR, stock_c / Math.max(BRIEF, china_use * intensity_c)) / cover_c) ** -beta;
        mean_o = mean_o ** (1 - 1 / horizon) * price_o ** (1 / horizon); // a geometric mean
        mean_c = mean_c ** (1 - 1 / horizon) * price_c ** (1 / horizon);
        if (mean_o > theta) { // (2)
          const cut = sigma * intensity_o * Math.min(1, mean_o / theta - 1);
          intensity_o -= cut;
          saved_o += (1 - kept) * cut;
        } else {
          const back = saved_o / horizon;
          intensity_o += back;
          saved_o -= back;
        }
        if (mean_c > theta) {
          const cut = sigma * intensity_c * Math.min(1, mean_c / theta - 1);
          intensity_c -= cut;
          saved_c += (1 - kept) * cut;
        } else {
          const back = saved_c / horizon;
          intensity_c += back;
          saved_c -= back;
        }
        expected += (price_o - expected) / 12; // (4)
        const start = invest * (1 + china_use) * Math.min(1, Math.max(0, expected / hurdle - 1));
        const pace = 3 / lead;
        const done = third * pace;
        third += second * pace - done;
        second += (first - second) * pace;
        first += start - first * pace;
        built += rho * done;
        running += (built - running) / ramp;
        if (met_o < use_o * (1 - 1e-9) && empty < 0) empty = t;
        if (empty < 0) peak = Math.max(peak, price_o);
        if (price_o > 2) above += 1;
        lost += 1 - met_o / Math.max(BRIEF, use_o);
        below += 1 - met_o;
        out.price[t][n] = price_o;
        out.stock[t][n] = stock_o;
        out.met[t][n] = met_o / Math.max(BRIEF, use_o);
      }
      [out.peak[n], out.above[n], out.lost[n], out.below[n], out.empty[n]] = [peak, above, lost, below, empty];
    }
    return out;
  };

  const SHARES = [5, 25, 50, 75, 95];
  /* The values that 5, 25, 50, 75 and 95 percent of the draws do not exceed, as numpy.quantile has them. */
  const quantiles = (values) => {
    const sorted = Float64Array.from(values).sort();
    return SHARES.map((share) => {
      const at = (share / 100) * (sorted.length - 1);
      const low = Math.floor(at);
      return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
    });
  };
  /* Fans by month, and the results: ranges over all draws; the month of a stock-out over the draws that have one. */
  const summarise = (out, base) => {
    const ran_out = out.empty.filter((month) => month >= 0).map((month) => month - base.shock + 1);
    return {
      price: out.price.map(quantiles), stock: out.stock.map(quantiles), met: out.met.map(quantiles),
      peak: quantiles(out.peak), above: quantiles(out.above), lost: quantiles(out.lost), below: quantiles(out.below),
      out_share: ran_out.length / out.empty.length, out_month: ran_out.length ? quantiles(ran_out) : null,
    };
  };
  globalThis.shockModel = { run, quantiles, summarise, SHARES };

  const figure = (value) => { // two significant digits, or a whole number
    if (Math.abs(value) < 0.005 || Math.abs(value) >= 9.95) return value.toFixed(0);
    return value.toFixed(Math.min(2, Math.max(0, 1 - Math.floor(Math.log10(Math.abs(value) * 1.005)))));
  };
  const whole = (value) => value.toFixed(0);
  const percent = (share) => {
    const text = (share * 100).toFixed(0);
    return `${share > 0 && text === "0" ? "under 1" : share < 1 && text === "100" ? "over 99" : text}\u00a0%`;
  };
  const between = ([low, , , , high], write = figure) => (write(low) === write(high) ? write(low) : `${write(low)} to ${write(high)}`);

  globalThis.rareearthsExplorer = ({ id, draws, base }) => {
    shockModel.given = { draws, base };
    const box = document.getElementById(id);
    const form = box.querySelector("form");
    const state = box.querySelector(".xp-state");
    const names = ["pass", "months", "reserve", "own", "lead", "thrift"];
    const inputs = Object.fromEntries(names.map((name) => [name, form.elements[name]]));
    const panels = [...box.querySelectorAll(".xp-panel")].map((panel) => ({
      name: panel.dataset.name, text: panel.querySelector("p").textContent, place: panel.querySelector(".xp-draw"),
    }));
    let last = null;
    const settings = () => Object.fromEntries(names.map((name) => [name, inputs[name].value === "drawn" ? null : Number(inputs[name].value)]));
    const spoken = { pass: (v) => `${v} %`, own: (v) => `${v} %`, months: (v) => (v === "1" ? "1 month" : `${v} months`), reserve: (v) => (v === "1" ? "1 month" : `${v} months`) };
    const speak = () => {
      for (const [name, write] of Object.entries(spoken)) {
        inputs[name].setAttribute("aria-valuetext", write(inputs[name].value));
        inputs[name].parentElement.querySelector("output").textContent = write(inputs[name].value);
      }
    };

    /* One panel as SVG, drawn at the width it has on the page, so that its letters keep their size. */
    const draw = ({ name, text, place }, shown, wanted) => {
      const width = Math.max(240, Math.round(place.clientWidth));
      const height = Math.round(place.clientHeight);
      const [left, right, top, bottom] = [42, 10, 8, name === "met" ? 34 : 20];
      const rows = shown[name];
      const [begin, end] = [1 - base.shock, base.months - base.shock];
      const x = (month) => left + ((month - begin) / (end - begin)) * (width - left - right);
      let [low, high, ticks, write] = [0, 1, [0, 0.5, 1], (v) => `${v * 100} %`];
      if (name === "price") {
        const most = Math.max(...rows.map((row) => row[4])) * 1.02;
        const least = Math.min(...rows.map((row) => row[0])) * 0.98;
        const all = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
        low = [...all].reverse().find((v) => v <= Math.min(0.5, least)) || all[0];
        high = all.find((v) => v >= Math.max(5, most)) || all[all.length - 1];
        ticks = all.filter((v) => v >= low && v <= high);
        if ((height - top - bottom) / ticks.length < 17) ticks = [0.01, 0.1, 1, 10, 100, 1000].filter((v) => v >= low && v <= high);
        write = (v) => `×${v}`;
      } else if (name === "stock") {
        high = [2, 4, 6, 8, 10, 15, 20, 30].find((v) => v >= Math.max(...rows.map((row) => row[4]))) || 50;
        ticks = [0, high / 2, high];
        write = String;
      }
      const scale = name === "price" ? Math.log : (v) => v;
      const y = (value) => {
        const share = (scale(Math.min(high, Math.max(low, value))) - scale(low)) / (scale(high) - scale(low));
        return height - bottom - share * (height - top - bottom);
      };
      const point = (place) => (row, t) => `${x(t + begin).toFixed(1)} ${y(row[place]).toFixed(1)}`;
      const band = (one, other) => `M${rows.map(point(one)).join("L")}L${rows.map(point(other)).reverse().join("L")}Z`;
      const cut = wanted.pass < 100 ? `<rect class="xp-cut" x="${x(0).toFixed(1)}" y="${top}" width="${(x(wanted.months) - x(0)).toFixed(1)}" height="${height - top - bottom}"/>` : "";
      const grid = ticks.map((v) => `<path class="xp-grid" d="M${left} ${y(v).toFixed(1)}H${width - right}"/><text x="${left - 5}" y="${(y(v) + 4).toFixed(1)}" text-anchor="end">${write(v)}</text>`);
      const years = Array.from({ length: Math.floor(end / 12) + 1 }, (_, place) => place * 12);
      const below = years.map((m) => `<path class="xp-tick" d="M${x(m).toFixed(1)} ${height - bottom}v4"/><text x="${x(m).toFixed(1)}" y="${height - bottom + 16}" text-anchor="middle">${m}</text>`);
      const unit = name === "met" ? `<text x="${(left + width - right) / 2}" y="${height - 3}" text-anchor="middle">months from the start of the cut</text>` : "";
      const extreme = rows.reduce((best, row, t) => ((name === "price" ? row[2] > rows[best][2] : row[2] < rows[best][2]) ? t : best), 0);
      const tell = name === "met" ? percent : figure;
      const said = `${text}. Middle of the draws: ${tell(rows[0][2])} at first, ${name === "price" ? "highest" : "lowest"} ${tell(rows[extreme][2])}`
        + ` in month ${extreme + begin} (nine draws in ten: ${between(rows[extreme], tell)}), ${tell(rows[rows.length - 1][2])} at the end.`;
      place.innerHTML = `<svg role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${cut}${grid.join("")}<path class="xp-most" d="${band(0, 4)}"/>`
        + `<path class="xp-half" d="${band(1, 3)}"/><path class="xp-middle" d="M${rows.map(point(2)).join("L")}"/>${below.join("")}${unit}</svg>`;
      place.firstChild.setAttribute("aria-label", said);
    };

    const results = (shown) => {
      const cells = {
        peak: [`×${figure(shown.peak[2])}`, between(shown.peak)],
        above: [whole(shown.above[2]), between(shown.above, whole)],
        out: [percent(shown.out_share), ""],
        month: shown.out_month ? [whole(shown.out_month[2]), between(shown.out_month, whole)] : ["–", "–"],
        lost: [figure(shown.lost[2]), between(shown.lost)],
        below: [figure(shown.below[2]), between(shown.below)],
      };
      for (const [name, texts] of Object.entries(cells)) {
        const row = box.querySelector(`tr[data-result="${name}"]`);
        for (const [place, text] of texts.entries()) row.cells[place + 1].textContent = text;
      }
    };
    const sentence = (shown, wanted) => {
      if (wanted.pass === 100) return "Nothing is cut: all exports pass.";
      const out = shown.out_month
        ? `Users’ stocks run out in ${percent(shown.out_share)} of the draws, in month ${whole(shown.out_month[2])} from the start of the cut (${between(shown.out_month, whole)}).`
        : "Users’ stocks run out in no draw.";
      return `${wanted.pass} % of exports pass for ${spoken.months(String(wanted.months))}: before stocks run out, the spot price outside China peaks at ${figure(shown.peak[2])} times`
        + ` the base (${between(shown.peak)}); it is above twice the base in ${whole(shown.above[2])} of ${base.months} months (${between(shown.above, whole)}). ${out}`
        + ` ${figure(shown.lost[2])} months of use are lost (${between(shown.lost)}).`;
    };

    let wait = 0;
    const show = (at_once) => {
      const wanted = settings();
      const shown = summarise(run(draws, wanted, base), base);
      last = { wanted, shown };
      for (const panel of panels) draw(panel, shown, wanted);
      results(shown);
      clearTimeout(wait); // read out, and put into the address, when the control rests, not at each step
      if (at_once) state.textContent = sentence(shown, wanted);
      else wait = setTimeout(() => { keep(address()); state.textContent = sentence(shown, wanted); }, 400);
    };
    const address = () => `#${id}?${names.map((name) => `${name}=${inputs[name].value}`).join("&")}`;
    const keep = (hash) => history.replaceState(null, "", hash);
    /* Takes settings from an address; what is no number of the control's range is brought into it, or left alone. */
    const take = () => {
      if (!location.hash.startsWith(`#${id}?`)) return false;
      form.reset();
      for (const [name, value] of new URLSearchParams(location.hash.slice(id.length + 2))) {
        const input = inputs[name];
        if (!input) continue;
        if (input.type === "range") {
          if (/^\d{1,4}(\.\d{1,4})?$/.test(value)) input.value = value;
        } else if ([...input.options].some((option) => option.value === value)) input.value = value;
      }
      speak();
      show(true);
      return true;
    };
    const csv = () => {
      const { wanted, shown } = last;
      const set = names.map((name) => wanted[name] ?? "as drawn");
      const lines = [["quantity", "unit", "month_from_start", ...SHARES.map((share) => `p${share}`), "share", "pass_pct", "duration_months", "reserve_months", "own_supply_pct", "lead_time_years", "thrifting_pct_a_year"]];
      const add = (quantity, unit, month, values, share = "") => lines.push([quantity, unit, month, ...(values || SHARES.map(() => "")).map((v) => (v === "" ? v : Number(v.toPrecision(6)))), share, ...set]);
      for (const [quantity, unit, rows] of [["spot_price_outside", "multiple of base price", shown.price], ["stocks_outside", "months of base use", shown.stock], ["share_of_use_met", "share", shown.met]]) {
        rows.forEach((row, t) => add(quantity, unit, t - base.shock + 1, row));
      }
      add("peak_before_stock_out", "multiple of base price", "", shown.peak);
      add("months_above_twice", "months", "", shown.above);
      add("stocks_run_out", "share of draws", "", null, shown.out_share);
      add("month_of_stock_out", "month from the start of the cut", "", shown.out_month);
      add("lost_use", "months of use", "", shown.lost);
      add("use_below_base", "months of use", "", shown.below);
      return `${lines.map((line) => line.join(",")).join("\n")}\n`;
    };
    let frame = 0;
    form.addEventListener("input", () => {
      speak();
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => show(false));
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.elements.again.addEventListener("click", () => {
      form.reset();
      speak();
      keep(`#${id}`);
      show(true);
    });
    form.elements.csv.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
      link.download = "rare-earths-explorer.csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    addEventListener("hashchange", take);
    box.classList.add("xp-on");
    if (take()) box.scrollIntoView({ behavior: "instant" });
    else { form.reset(); speak(); show(true); }
    let width = box.clientWidth;
    addEventListener("resize", () => {
      if (box.clientWidth === width) return;
      width = box.clientWidth;
      for (const panel of panels) draw(panel, last.shown, last.wanted);
    });
  };
})();
