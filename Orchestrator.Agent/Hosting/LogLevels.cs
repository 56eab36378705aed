using System.Collections.Immutable;
using Microsoft.Extensions.Options;

namespace Orchestrator.Agent.Hosting;

/// <summary>The log level of every namespace, changeable while the daemon runs; the longest match counts.</summary>
internal sealed class LogLevels : IOptionsMonitor<LoggerFilterOptions>
{
    /// <summary>What the frameworks say below a warning is of no use to an operator.</summary>
    private static readonly ImmutableSortedDictionary<string, LogLevel> Quiet = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, LogLevel>
    {
        ["Microsoft"] = LogLevel.Warning,
        ["System"] = LogLevel.Warning,
        ["Quartz"] = LogLevel.Warning,
        ["Yarp"] = LogLevel.Warning,
        ["Polly"] = LogLevel.Warning,
    });

    private readonly Lock _gate = new();
    private Action<LoggerFilterOptions, string?>? _listeners;
    private LogOptions _options;

    public LogLevels(LogOptions options)
    {
        _options = options with { Levels = Quiet.SetItems(options.Levels) };
        CurrentValue = Filter(_options);
    }

    public LoggerFilterOptions CurrentValue { get; private set; }

    /// <summary>The default level, and what namespaces have of their own.</summary>
    public (LogLevel Level, ImmutableSortedDictionary<string, LogLevel> Levels) Now
    {
        get
        {
            lock (_gate) return (_options.Level, _options.Levels);
        }
    }

    /// <param name="level">Null: stays.</param>
    /// <param name="levels">Namespace → level; null takes its own level away.</param>
    public void Change(LogLevel? level, IReadOnlyDictionary<string, LogLevel?> levels)
    {
        Action<LoggerFilterOptions, string?>? listeners;
        LoggerFilterOptions filter;
        lock (_gate)
        {
            var changed = _options.Levels;
            foreach (var (name, own) in levels) changed = own is { } set ? changed.SetItem(name, set) : changed.Remove(name);
            _options = _options with { Level = level ?? _options.Level, Levels = changed };
            CurrentValue = filter = Filter(_options);
            listeners = _listeners;
        }

        listeners?.Invoke(filter, null);
    }

    public LoggerFilterOptions Get(string? name) => CurrentValue;

    public IDisposable OnChange(Action<LoggerFilterOptions, string?> listener)
    {
        lock (_gate) _listeners += listener;
        return new Registration(this, listener);
    }

    private static LoggerFilterOptions Filter(LogOptions options)
    {
        var filter = new LoggerFilterOptions { MinLevel = options.Level };
        foreach (var (name, level) in options.Levels) filter.Rules.Add(new LoggerFilterRule(null, name, level, null));
        return filter;
    }

    private sealed class Registration(LogLevels owner, Action<LoggerFilterOptions, string?> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._gate) owner._listeners -= listener;
        }
    }
}
