console.log('regions');
