namespace Orchestrator.Agent.Installation;

/// <summary>One thing that an installation does; done again it changes nothing.</summary>
internal abstract record InstallStep
{
    private InstallStep()
    {
    }

    /// <param name="Owner">USER:GROUP; set on this machine only.</param>
    public sealed record MakeDirectory(string Path, UnixFileMode Mode, string Owner) : InstallStep;

    /// <param name="Owner">USER:GROUP; set on this machine only.</param>
    public sealed record WriteFile(string Path, string Content, UnixFileMode Mode, string Owner) : InstallStep
    {
        /// <summary>What is there belongs to the operator and stays as it is.</summary>
        public bool Keep { get; init; }
    }

    public sealed record CopyProgram(string From, string To) : InstallStep;

    /// <param name="Path">A file, or a directory with all that is in it.</param>
    public sealed record Remove(string Path) : InstallStep;

    /// <param name="Hint">What to do when it fails.</param>
    public sealed record Run(string Program, string[] Arguments, string? Hint = null) : InstallStep
    {
        /// <summary>That it fails is nothing new: what it was to end was not there.</summary>
        public bool MayFail { get; init; }

        public string Line => $"{Program} {string.Join(' ', Arguments)}";
    }
}
