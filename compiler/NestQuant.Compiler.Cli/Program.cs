using NestQuant.Compiler.Cli;

using var interruption = new Interruption();
return CliProcess.Run(args, interruption);
