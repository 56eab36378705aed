using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Compact;
using Serilog.Sinks.SystemConsole.Themes;

namespace Orchestrator.Agent.Hosting;

/// <summary>Serilog behind the framework's loggers: text for people on a terminal, compact JSON for journald and files. Nothing else knows of it.</summary>
internal sealed class DaemonLog : IDisposable
{
    private const string Text = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";
    private const int FilesKept = 7;
    private const long LargestFile = 100L << 20;
    private readonly Logger _serilog;

    private DaemonLog(Logger serilog, LogLevels levels, ILoggerFactory factory)
    {
        _serilog = serilog;
        Levels = levels;
        Factory = factory;
    }

    public LogLevels Levels { get; }

    public ILoggerFactory Factory { get; }

    /// <param name="terminal">Somebody looks at standard output.</param>
    public static DaemonLog Open(LogOptions options, bool terminal)
    {
        // The levels are decided in front of it, in LogLevels: whatever gets here is written.
        var configuration = new LoggerConfiguration().MinimumLevel.Verbose().Enrich.FromLogContext();
        var text = options.Format == LogFormat.Text || (options.Format == LogFormat.Auto && terminal);
        if (text)
        {
            var theme = terminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) ? AnsiConsoleTheme.Code : ConsoleTheme.None;
            configuration.WriteTo.Console(outputTemplate: Text, formatProvider: CultureInfo.InvariantCulture, theme: theme);
        }
        else
        {
            configuration.WriteTo.Console(new RenderedCompactJsonFormatter());
        }

        if (options.File is { } file)
        {
            configuration.WriteTo.File(
                new RenderedCompactJsonFormatter(),
                file,
                rollingInterval: RollingInterval.Day,
                rollOnFileSizeLimit: true,
                fileSizeLimitBytes: LargestFile,
                retainedFileCountLimit: FilesKept);
        }

        var serilog = configuration.CreateLogger();
        var levels = new LogLevels(options);
        return new DaemonLog(serilog, levels, new LoggerFactory([new SerilogLoggerProvider(serilog)], levels));
    }

    public void Dispose()
    {
        Factory.Dispose();
        _serilog.Dispose();
    }
}
