using System.Reflection;

namespace Orchestrator.Agent.Installation;

/// <summary>A program that replaces or removes its own file can load nothing more from it: what it may need is loaded before.</summary>
internal static class OwnAssemblies
{
    public static void LoadAll()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<Assembly>([typeof(OwnAssemblies).Assembly]);
        while (open.TryDequeue(out var assembly))
        {
            foreach (var name in assembly.GetReferencedAssemblies())
            {
                if (seen.Add(name.FullName) && Load(name) is { } loaded) open.Enqueue(loaded);
            }
        }
    }

    /// <returns>Null: it is referred to, but not part of the program, and so is never used.</returns>
    private static Assembly? Load(AssemblyName name)
    {
        try
        {
            return Assembly.Load(name);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
