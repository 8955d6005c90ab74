"""The supply-shock model: what a cut of China's exports does to prices and to magnets outside China, and for how long.

- :mod:`engine` runs the equations, :mod:`parameters` draws what goes into them;
- :mod:`episodes` holds the two episodes it is tested on, :mod:`score` the measures, :mod:`backtest` the test;
- :mod:`scenarios` holds what may come, :mod:`ensemble` runs many draws, on one machine or several.
"""
