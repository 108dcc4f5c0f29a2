Console.WriteLine("nestquant");
