using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Installation;

/// <summary>Carries steps out, or says what it would do.</summary>
internal sealed class InstallRun(InstallPaths paths, bool dry)
{
    private const string Unchanged = "unchanged";

    private readonly List<InstallStepResponse> _done = [];

    public IReadOnlyList<InstallStepResponse> Done => _done;

    /// <summary>Whether one of these was written or removed.</summary>
    public bool Changed(params ReadOnlySpan<string> files)
    {
        foreach (var file in files)
        {
            if (_done.Exists(step => step.What == file && step.Outcome is not (Unchanged or "kept" or "not there"))) return true;
        }

        return false;
    }

    /// <returns>Whether it changed anything.</returns>
    /// <exception cref="InstallException">It fails.</exception>
    public async Task<bool> DoAsync(InstallStep step, CancellationToken cancellationToken)
    {
        var (what, outcome) = step switch
        {
            InstallStep.MakeDirectory directory => (directory.Path, await MakeAsync(directory, cancellationToken)),
            InstallStep.WriteFile file => (file.Path, await WriteAsync(file, cancellationToken)),
            InstallStep.CopyProgram program => (program.To, Copy(program)),
            InstallStep.Remove remove => (remove.Path, Remove(remove.Path)),
            InstallStep.Run run => (run.Line, await RunAsync(run, cancellationToken)),
            _ => throw new InvalidOperationException($"{step} is not known."),
        };
        _done.Add(new InstallStepResponse(what, outcome));
        return Changed(what);
    }

    private async Task<string> MakeAsync(InstallStep.MakeDirectory directory, CancellationToken cancellationToken)
    {
        var there = Directory.Exists(directory.Path);
        if (dry) return there ? Unchanged : "would be made";

        var before = there ? File.GetUnixFileMode(directory.Path) : UnixFileMode.None;
        Directory.CreateDirectory(directory.Path);
        File.SetUnixFileMode(directory.Path, directory.Mode);
        await OwnAsync(directory.Path, directory.Owner, cancellationToken);
        return !there ? "made" : before == directory.Mode ? Unchanged : "mode set";
    }

    private async Task<string> WriteAsync(InstallStep.WriteFile file, CancellationToken cancellationToken)
    {
        var there = File.Exists(file.Path);
        if (there && file.Keep) return "kept";
        if (there && await File.ReadAllTextAsync(file.Path, cancellationToken) == file.Content) return Unchanged;
        if (dry) return there ? "would be replaced" : "would be written";

        Directory.CreateDirectory(Path.GetDirectoryName(file.Path) ?? "/");
        var pending = file.Path + ".new";
        await File.WriteAllTextAsync(pending, file.Content, cancellationToken);
        File.SetUnixFileMode(pending, file.Mode);
        await OwnAsync(pending, file.Owner, cancellationToken);
        File.Move(pending, file.Path, overwrite: true);
        return there ? "replaced" : "written";
    }

    private string Copy(InstallStep.CopyProgram program)
    {
        var there = File.Exists(program.To);
        if (there && (program.From == program.To || ProgramFile.HashOf(program.From) == ProgramFile.HashOf(program.To))) return Unchanged;
        if (dry) return there ? "would be replaced" : "would be copied";

        Directory.CreateDirectory(Path.GetDirectoryName(program.To) ?? "/");
        ProgramFile.Place(program.From, program.To);
        return there ? "replaced" : "copied";
    }

    private string Remove(string path)
    {
        if (!Path.Exists(path)) return "not there";
        if (dry) return "would be removed";

        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else File.Delete(path);
        return "removed";
    }

    private async Task<string> RunAsync(InstallStep.Run run, CancellationToken cancellationToken)
    {
        if (!paths.Here) return "left to the machine";
        if (dry) return "would be run";

        var result = await SystemCommand.RunAsync(run.Program, run.Arguments, SystemCommand.Patience, cancellationToken);
        if (result.Ok) return "done";
        return run.MayFail ? "nothing to do" : throw new InstallException($"{run.Line} failed", result.Said, run.Hint);
    }

    private async Task OwnAsync(string path, string owner, CancellationToken cancellationToken)
    {
        if (paths.Here) await SystemCommand.RequireAsync("chown", [owner, path], null, cancellationToken);
    }
}
