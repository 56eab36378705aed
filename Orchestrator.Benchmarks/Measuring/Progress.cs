namespace Orchestrator.Benchmarks.Measuring;

/// <summary>What goes on, on standard error: the results have standard output for themselves.</summary>
internal static class Progress
{
    public static void Say(string what)
    {
        if (Console.IsErrorRedirected)
            Console.Error.WriteLine(what);
        else
            Console.Error.Write($"\r\e[K{what}");
    }

    /// <summary>Leaves an empty line for what comes.</summary>
    public static void Clear()
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write("\r\e[K");
    }
}
